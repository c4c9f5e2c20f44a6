import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import { isId, notFound, type Clock, type Id } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import { CLOCK } from '../tokens.ts';
import { afterReport, checkReport, type AccountReport } from './account-report.domain.ts';
import { AccountRepository } from './account.repository.ts';
import { versionsAfter } from './version.domain.ts';
import { VersionRepository } from './version.repository.ts';

/** Takes what agents see of break-glass accounts. */
@Injectable()
export class AccountReportService {
  constructor(
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly accounts: AccountRepository,
    private readonly versions: VersionRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Answers the newest revision. */
  async report(actor: Actor, accountId: Id, report: AccountReport): Promise<number> {
    checkReport(report);
    return this.directory.asDevice(actor, async (tx, device) => {
      const { mspId, hostName } = device;
      const before = isId(accountId) ? await this.accounts.locked(tx, mspId, accountId) : null;
      if (before?.deviceId !== device.id) throw notFound('LAPS account');
      const now = this.clock.now();
      const { account, isNew } = afterReport(before, report, now);
      await this.accounts.save(tx, account);
      if (isNew.finding) {
        const { digest, uid, groups } = account.finding ?? { digest: '', uid: null, groups: [] };
        const details = { accountName: account.name, hostName, digest, uid, groups: groups.join(' ') };
        await audit(tx, { action: 'laps.found', subjectId: account.id, occurredAt: now, details });
      }
      if (isNew.incident) {
        const versions = await this.versions.ofAccount(tx, mspId, account.id);
        const held = versions.find(({ id }) => id === report.versionId);
        // What the computer holds now may be shown again until another password is read back there.
        if (report.incident === 'ROLLED_BACK' && held !== undefined)
          await this.versions.setStates(tx, mspId, versionsAfter(versions, held.id, 'find') ?? [], now);
        await audit(tx, {
          ...{ action: report.incident === 'TAMPERED' ? 'laps.tampered' : 'laps.rolled-back', subjectId: account.id, occurredAt: now },
          details: { accountName: account.name, hostName, versionId: held?.id ?? null, versionIsKnown: held !== undefined },
        });
      }
      return this.copies.nextRevision(tx, mspId, device.id);
    });
  }
}
