import { Inject, Injectable } from '@nestjs/common';
import { isId, notFound, Refusal, type Clock, type Id } from '@stint/kernel';
import { asSelf, type Actor } from '@stint/contracts';
import { Tenancy, type ReadTx } from '@stint/tenancy';
import type { AccessKind } from '../access-rule/access-rule.domain.ts';
import type { TechnicianCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { SettingsRepository } from '../settings/settings.repository.ts';
import { CLOCK } from '../tokens.ts';
import { sessionSecondsBy, type Decision } from './access.domain.ts';
import { accountOn, AccessService, type AccessTarget } from './access.service.ts';

/** Whose access to what somebody asks about. */
export interface Question {
  /** null: the caller's own. */
  technicianId: Id | null;
  kind: AccessKind;
  deviceId: Id | null;
  tenantId: Id | null;
  entraRole: string | null;
  at: Date | null;
}

/** A decision with the session length that would follow from it. */
export interface Explanation {
  decision: Decision;
  defaultSeconds: number;
}

/** Tells what the access rules say, in read-only transactions. */
@Injectable()
export class ExplanationService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly copies: DirectoryRepository,
    private readonly settings: SettingsRepository,
    private readonly access: AccessService,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Problem `NotFound` when technician or target is out of the actor's reach. */
  async explain(actor: Actor, question: Question): Promise<Explanation> {
    checkTarget(question);
    const { technicianId } = question;
    const own = technicianId === null || technicianId === actor.id;
    const technician = await this.#technician(own ? asSelf(actor) : actor, technicianId ?? actor.id);
    return this.tenancy.readTenants(actor, async (tx) => {
      const target = await this.#target(tx, question);
      const decided = await this.access.decide(tx, technician, target, question.at ?? this.clock.now());
      const decision = target.revoked ? { ...decided, allowed: false, why: 'The computer was revoked: nobody can log in to it.' } : decided;
      const settings = await this.settings.effectiveOf(tx, actor.mspId, target.tenantId);
      return { decision, defaultSeconds: sessionSecondsBy(decision, null, settings.sessionSeconds.value) };
    });
  }

  /** What the rules demand of the calling technician for an account on each device; null for a device out of reach. */
  async demands(actor: Actor, deviceIds: readonly Id[]): Promise<(Decision | null)[]> {
    const technician = await this.#technician(asSelf(actor), actor.id);
    return this.tenancy.readTenants(actor, async (tx) => {
      const decisions: (Decision | null)[] = [];
      for (const deviceId of deviceIds) {
        const device = await this.copies.device(tx, actor.mspId, deviceId);
        const at = this.clock.now();
        decisions.push(device === null ? null : await this.access.decide(tx, technician, accountOn(device), at));
      }
      return decisions;
    });
  }

  async #technician(actor: Actor, id: Id): Promise<TechnicianCopy> {
    const found = isId(id) ? await this.tenancy.readTenants(actor, (tx) => this.copies.technician(tx, actor.mspId, id)) : null;
    if (found === null) throw notFound('technician');
    return found;
  }

  async #target(tx: ReadTx, { kind, deviceId, tenantId, entraRole }: Question): Promise<AccessTarget & { revoked: boolean }> {
    const { mspId } = tx.scope;
    if (deviceId !== null) {
      const device = isId(deviceId) ? await this.copies.device(tx, mspId, deviceId) : null;
      if (device === null) throw notFound('device');
      return { mspId, tenantId: device.tenantId, kind, deviceTags: device.tags, entraRole: null, revoked: !device.active };
    }
    const tenant = isId(tenantId) ? await this.copies.tenant(tx, mspId, tenantId) : null;
    if (tenant === null) throw notFound('tenant');
    return { mspId, tenantId: tenant.id, kind, deviceTags: [], entraRole, revoked: false };
  }
}

function checkTarget({ kind, deviceId, tenantId, entraRole }: Question): void {
  const forEntra = kind === 'ENTRA_ROLE';
  if (forEntra && (tenantId === null || entraRole === null || deviceId !== null))
    throw new Refusal('MALFORMED', 'An Entra role is asked about by tenantId and entraRole, without a device.');
  if (!forEntra && (deviceId === null || tenantId !== null || entraRole !== null))
    throw new Refusal('MALFORMED', `${kind} is asked about by deviceId alone.`);
}
