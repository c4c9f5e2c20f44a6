import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { hpkePublicKey, reason, type Actor } from '@stint/contracts';
import { lapsSealing, sealTo } from '@stint/crypto';
import { isId, notFound, pageRequest, Problem, Refusal, type Clock, type Connection, connection, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import type { LapsAccount } from '../account/account.domain.ts';
import { AccountRepository } from '../account/account.repository.ts';
import { VersionRepository, type KeptVersion } from '../account/version.repository.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { candidatesOf } from '../reveal/reveal.domain.ts';
import { SealingService } from '../reveal/sealing.service.ts';
import { CLOCK } from '../tokens.ts';
import { OfflineKeyRepository } from './offline-key.repository.ts';

const keyInput = z.object({ tenantId: z.string(), publicKey: hpkePublicKey.nullish() });
const exportInput = z.object({ tenantId: z.string(), reason, after: z.string().nullish() });
/** Accounts on a page of an export. */
const pageSize = 100;

/** One account, sealed to the offline key. */
export interface ExportedAccount {
  accountId: Id;
  hostName: string;
  name: string;
  enc: string;
  ciphertext: string;
}
export interface VaultExport {
  accounts: ExportedAccount[];
  offlineKey: string;
  pageInfo: Connection<never>['pageInfo'];
}

/** The break-glass of the break-glass: passwords for the day on which this server is gone, sealed to a key that never was here. */
@Injectable()
export class ExportService {
  constructor(
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly accounts: AccountRepository,
    private readonly versions: VersionRepository,
    private readonly offlineKeys: OfflineKeyRepository,
    private readonly sealing: SealingService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** The key that counts in a tenant. */
  async offlineKey(actor: Actor, tenantId: Id): Promise<string | null> {
    return this.directory.inTenant(actor, tenantId, (tx) => this.offlineKeys.forTenant(tx, actor.mspId, tenantId));
  }

  async setOfflineKey(actor: Actor, raw: unknown): Promise<Id> {
    const { tenantId, publicKey = null } = checkInput(keyInput, raw);
    return this.directory.inTenant(actor, tenantId, async (tx) => {
      const now = this.clock.now();
      await this.offlineKeys.set(tx, actor.mspId, tenantId, publicKey, now);
      const details = { fingerprint: publicKey === null ? null : createHash('sha256').update(publicKey).digest('hex') };
      await audit(tx, { action: 'offline-key.changed', subjectId: tenantId, occurredAt: now, details });
      return tenantId;
    });
  }

  /** One page. Recorded and committed before anything is opened. */
  async page(actor: Actor, raw: unknown): Promise<VaultExport> {
    const input = checkInput(exportInput, raw);
    if (actor.kind !== 'technician') throw new Refusal('FORBIDDEN', 'Passwords are for people.');
    if (!isId(input.tenantId)) throw notFound('tenant');
    const request = pageRequest({ first: pageSize, after: input.after ?? null });
    const { mspId } = actor;
    const decided = await this.directory.inTenant(actor, input.tenantId, async (tx) => {
      const { tenantId } = tx.scope;
      const offlineKey = await this.offlineKeys.forTenant(tx, mspId, tenantId);
      if (offlineKey === null)
        throw new Problem('OfflineKeyMissing', 'Make an offline key first, on a machine that stays offline: stint vault offline-key make.');
      const rows = await this.accounts.page(tx, mspId, tenantId, request, false);
      const accounts = rows.slice(0, pageSize);
      const hostNames = await this.copies.hostNames(
        tx,
        mspId,
        accounts.flatMap(({ deviceId }) => deviceId ?? []),
      );
      const versions = Map.groupBy(
        await this.versions.ofAccounts(
          tx,
          mspId,
          accounts.map(({ id }) => id),
        ),
        ({ accountId }) => accountId,
      );
      const kept = accounts.map((account) => ({
        account,
        hostName: account.deviceId === null ? 'Entra ID' : (hostNames.get(account.deviceId) ?? ''),
        versions: versions.get(account.id) ?? [],
      }));
      const details = { reason: input.reason, accounts: accounts.length, after: input.after ?? null };
      await audit(tx, { action: 'laps.exported', subjectId: tenantId, occurredAt: this.clock.now(), details });
      return { offlineKey, kept, pageInfo: connection(rows, request).pageInfo };
    });
    const { offlineKey, pageInfo } = decided;
    const accounts: ExportedAccount[] = [];
    for (const { account, hostName, versions } of decided.kept.filter((one) => one.versions.length > 0))
      accounts.push({
        accountId: account.id,
        hostName,
        name: account.name,
        ...(await this.#sealed(account, hostName, versions, offlineKey)),
      });
    return { accounts, offlineKey, pageInfo };
  }

  async #sealed({ tenantId, id, name }: LapsAccount, hostName: string, versions: readonly KeptVersion[], offlineKey: string) {
    const lines: string[] = [];
    for (const { version, certainty } of candidatesOf(versions, true)) {
      const { escrowedAt, confirmedAt } = version;
      const password = (await this.sealing.open(version)).toString('utf8');
      // Whose it is is sealed too: outside of it anybody could exchange the names of two computers.
      lines.push(JSON.stringify({ hostName, name, versionId: version.id, certainty, escrowedAt, confirmedAt, password }));
    }
    const { info, aad } = lapsSealing.export;
    return sealTo({ publicKey: offlineKey, info, aad: aad(tenantId, id) }, Buffer.from(lines.join('\n')));
  }
}
