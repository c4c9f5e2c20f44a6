import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { domainName, ed25519PublicKey, hostName, hpkePublicKey, id, line, type Actor } from '@stint/contracts';
import { hashToken, newToken } from '@stint/crypto';
import { addSeconds, connection, conflict, notFound, Problem, type Clock, type Connection, type Id, type PageRequest } from '@stint/kernel';
import { audit } from '@stint/messaging';
import { checkInput } from '@stint/subgraph';
import { Tenancy } from '@stint/tenancy';
import { CredentialRepository } from '../credential/credential.repository.ts';
import { deviceKinds, type Device } from '../device/device.domain.ts';
import { DeviceRepository } from '../device/device.repository.ts';
import { tellDevice } from '../device/device.service.ts';
import type { Tenant } from '../tenant/tenant.domain.ts';
import { TenantRepository } from '../tenant/tenant.repository.ts';
import { checkId } from '../tenant/tenant.service.ts';
import { CLOCK } from '../tokens.ts';
import { longestSeconds, maxUses, shortestSeconds, type EnrollmentToken } from './enrollment-token.domain.ts';
import { EnrollmentTokenRepository } from './enrollment-token.repository.ts';

const issueInput = z.object({
  id,
  tenantId: z.string(),
  kind: z.enum(deviceKinds),
  uses: z.number().int().min(1, 'must be at least 1').max(maxUses, `must be at most ${maxUses}`),
  lifetimeSeconds: z
    .number()
    .int()
    .min(shortestSeconds, `must be at least ${shortestSeconds}`)
    .max(longestSeconds, `must be at most ${longestSeconds}`),
});
const enrollInput = z.object({
  token: z.string().max(64),
  deviceId: id,
  credentialId: id,
  publicKey: ed25519PublicKey,
  hpkeKey: hpkePublicKey,
  hostName,
  platform: line(100),
  domain: domainName.nullish(),
  hardwareId: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
});

/** How devices come in. */
@Injectable()
export class EnrollmentService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly tokens: EnrollmentTokenRepository,
    private readonly devices: DeviceRepository,
    private readonly credentials: CredentialRepository,
    private readonly tenants: TenantRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async issue(actor: Actor, raw: unknown): Promise<{ enrollmentToken: EnrollmentToken; token: string }> {
    const input = checkInput(issueInput, raw);
    const now = this.clock.now();
    return this.tenancy.inTenant(actor, checkId(input.tenantId, 'tenant'), async (tx) => {
      const { mspId, tenantId } = tx.scope;
      const enrollmentToken = {
        mspId,
        tenantId,
        id: input.id,
        kind: input.kind,
        usesLeft: input.uses,
        expiresAt: addSeconds(now, input.lifetimeSeconds),
        revoked: false,
      };
      const token = newToken();
      if (!(await this.tokens.insert(tx, enrollmentToken, hashToken(token))))
        throw conflict('This id was used already; its token was shown then. Make a new id.');
      const details = { kind: input.kind, uses: input.uses, lifetimeSeconds: input.lifetimeSeconds };
      await audit(tx, { action: 'enrollment-token.issued', subjectId: input.id, details, occurredAt: now });
      return { enrollmentToken, token };
    });
  }

  async revoke(actor: Actor, rawId: string): Promise<EnrollmentToken> {
    const tokenId = checkId(rawId, 'enrolment token');
    return this.tenancy.inTenantOf(
      actor,
      'enrolment token',
      async (tx) => (await this.tokens.find(tx, actor.mspId, tokenId))?.tenantId ?? null,
      async (tx) => {
        const token = await this.tokens.revoke(tx, actor.mspId, tokenId);
        if (token === null) throw notFound('enrolment token');
        await audit(tx, { action: 'enrollment-token.revoked', subjectId: tokenId, occurredAt: this.clock.now() });
        return token;
      },
    );
  }

  /** Enrols a device. The same call again, by an agent that never heard the answer, answers the same and takes no second use. */
  async enroll(raw: unknown): Promise<{ device: Device & { tenant: Tenant | null }; credentialId: Id }> {
    const input = checkInput(enrollInput, raw);
    const now = this.clock.now();
    return this.tenancy.asSystem(async (tx) => {
      const token = await this.tokens.lockByHash(tx, hashToken(input.token));
      if (token === null) throw tokenInvalid();
      const { mspId, tenantId } = token;
      // Along with the answer: who enrols is not signed in yet and could not read it.
      const tenant = await this.tenants.find(tx, mspId, tenantId);
      const known = await this.devices.find(tx, mspId, input.deviceId);
      if (known !== null) {
        const keys = await this.credentials.keysOf(tx, mspId, known.id);
        const same =
          known.active && known.enrolledWith === token.id && keys.some((key) => key.id === input.credentialId && key.x === input.publicKey);
        if (same) return { device: { ...known, tenant }, credentialId: input.credentialId };
        throw conflict('This device id is taken. Make a new one.');
      }
      if (token.revoked || token.usesLeft === 0 || token.expiresAt <= now) throw tokenInvalid();
      const { hardwareId, hpkeKey, platform } = input;
      const device: Device = {
        ...{ mspId, tenantId, id: input.deviceId, kind: token.kind, hostName: input.hostName, platform, hardwareId, hpkeKey },
        ...{ domain: input.domain ?? null, tags: [] },
        ...{ enrolledWith: token.id, active: true, enrolledAt: now, lastSeenAt: null, version: 1 },
      };
      if (!(await this.devices.insert(tx, device))) {
        throw conflict(
          'This computer is enrolled already. If it was set up anew, ask an administrator to revoke the old device, then enrol again.',
        );
      }
      const added = await this.credentials.insert(tx, {
        mspId,
        tenantId,
        id: input.credentialId,
        kind: 'DEVICE',
        subjectId: device.id,
        publicKey: input.publicKey,
      });
      if (!added) throw conflict('This credential id is taken. Make a new one.');
      await this.tokens.takeUse(tx, token);
      await tellDevice(tx, device);
      const details = { hostName: device.hostName, kind: device.kind, enrollmentToken: token.id };
      await audit(tx, {
        action: 'device.enrolled',
        subjectId: device.id,
        details,
        occurredAt: now,
        mspId,
        tenantId,
        actor: { kind: 'device', id: device.id },
      });
      return { device: { ...device, tenant }, credentialId: input.credentialId };
    });
  }

  async list(actor: Actor, tenantId: Id, page: PageRequest): Promise<Connection<EnrollmentToken>> {
    return connection(await this.tenancy.readTenants(actor, (tx) => this.tokens.list(tx, actor.mspId, tenantId, page)), page);
  }
}

function tokenInvalid(): Problem {
  return new Problem('EnrollmentTokenInvalid', 'This enrolment token is unknown, used up, over or revoked. Ask for a new one.');
}
