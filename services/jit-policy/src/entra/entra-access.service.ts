import { Inject, Injectable } from '@nestjs/common';
import { isId, notFound, Refusal, type Clock } from '@stint/kernel';
import type { Actor } from '@stint/contracts';
import { checkInput } from '@stint/subgraph';
import { CopyMissing, Tenancy, type TenantTx } from '@stint/tenancy';
import { AccessService, allowed, entraRole, ruleOf } from '../access/access.service.ts';
import type { AccessRequest } from '../access-request/access-request.domain.ts';
import { AccessRequestRepository } from '../access-request/access-request.repository.ts';
import { AccessRequestService } from '../access-request/access-request.service.ts';
import { holds, type TechnicianCopy, type TenantCopy } from '../directory/directory.domain.ts';
import { DirectoryRepository } from '../directory/directory.repository.ts';
import { DirectoryService } from '../directory/directory.service.ts';
import type { Grant } from '../grant/grant.domain.ts';
import { GrantRepository } from '../grant/grant.repository.ts';
import { assertDemandsMet } from '../login/approval.domain.ts';
import { checkedProof } from '../login/approval-proof.ts';
import { CLOCK, PUBLIC_URL } from '../tokens.ts';
import { askedContent, assertSameAsk, assertUsable, entraAsk, idTaken, type EntraAsk } from './entra-access.domain.ts';
import { EntraConnectionRepository } from './entra-connection.repository.ts';
import { EntraGrantService } from './entra-grant.service.ts';

/** What asking led to: the grant, or first the wait for the other people whom the rule demands. */
export interface EntraAsked {
  grant: Grant | null;
  request: AccessRequest | null;
}

/** Asking for access in Entra. Locks in this order: technician, rules, access request, grant. */
@Injectable()
export class EntraAccessService {
  constructor(
    private readonly tenancy: Tenancy,
    private readonly directory: DirectoryService,
    private readonly copies: DirectoryRepository,
    private readonly access: AccessService,
    private readonly connections: EntraConnectionRepository,
    private readonly grants: GrantRepository,
    private readonly requests: AccessRequestRepository,
    private readonly accessRequests: AccessRequestService,
    private readonly entraGrants: EntraGrantService,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(PUBLIC_URL) private readonly publicUrl: string,
  ) {}

  /** Asks for a role, by the technician's proof over exactly what is asked for. The same call again answers what it led to. */
  async ask(actor: Actor, raw: unknown): Promise<EntraAsked> {
    if (actor.kind !== 'technician') throw new Refusal('FORBIDDEN', 'Only a technician can ask for access in Entra.');
    const ask = checkInput(entraAsk, raw);
    if (!isId(ask.tenantId)) throw notFound('tenant');
    return this.directory.patiently(() => {
      let held: { technician: TechnicianCopy; tenant: TenantCopy };
      return this.tenancy.inTenantOf(
        actor,
        'tenant',
        async (tx) => {
          const technician = await this.copies.technicianHeld(tx, actor.mspId, actor.id);
          if (technician?.active !== true) throw new CopyMissing([actor.id], new Refusal('FORBIDDEN', 'You may not ask for access.'));
          const tenant = await this.copies.tenant(tx, actor.mspId, ask.tenantId);
          if (tenant === null) throw new CopyMissing([ask.tenantId], notFound('tenant'));
          if (!holds(technician, 'login.approve', tenant.path))
            throw new CopyMissing([actor.id], new Refusal('FORBIDDEN', 'You may not ask for access here.'));
          held = { technician, tenant };
          await this.access.hold(tx, actor.mspId);
          return tenant.id;
        },
        async (tx) => (await this.#known(tx, ask, held.technician)) ?? this.#decided(tx, ask, held.technician, held.tenant),
      );
    });
  }

  async #decided(tx: TenantTx, ask: EntraAsk, technician: TechnicianCopy, tenant: TenantCopy): Promise<EntraAsked> {
    const now = this.clock.now();
    const { mspId, id: tenantId } = tenant;
    const decision = allowed(await this.access.decide(tx, technician, entraRole({ mspId, tenantId }, ask.roleName), now));
    assertUsable(await this.connections.find(tx, mspId, tenantId));
    assertDemandsMet(decision, ask);
    const content = askedContent(ask, technician.id, tenant.name);
    const proof = await checkedProof(technician, content, ask.assertion, this.publicUrl);
    const { id, sessionSeconds, reason, ticket, roleName, scope, accountKind, recipientKey } = ask;
    const access = { roleName, scope, accountKind, recipientKey };
    const about = { mspId, tenantId, id, technicianId: technician.id, sessionSeconds, reason, ticket, proof, rule: ruleOf(decision) };
    if (decision.approvals === 0) {
      const grant = await this.entraGrants.open(tx, { ...about, access, approvedByOthers: false }, now);
      return grant === null ? this.#lost(tx, ask, technician) : { grant, request: null };
    }
    const request = await this.accessRequests.ask(tx, { ...about, target: { kind: 'ENTRA', ...access } }, decision, now);
    return request === null ? this.#lost(tx, ask, technician) : { grant: null, request };
  }

  /** What this id was asked for before; null when it was not. Problem `Conflict` when it was something else. */
  async #known(tx: TenantTx, ask: EntraAsk, technician: TechnicianCopy): Promise<EntraAsked | null> {
    const grant = await this.grants.find(tx, technician.mspId, ask.id);
    const request = await this.requests.find(tx, technician.mspId, ask.id);
    if (grant === null && request === null) return null;
    assertSameAsk(ask, technician.id, grant?.approval ?? request?.proof ?? null);
    return { grant, request };
  }

  /** The id was taken meanwhile: by the same call at the same time, or by something of another tenant. */
  async #lost(tx: TenantTx, ask: EntraAsk, technician: TechnicianCopy): Promise<EntraAsked> {
    const known = await this.#known(tx, ask, technician);
    if (known === null) throw idTaken();
    return known;
  }
}
