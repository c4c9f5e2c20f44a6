import type { EntraApprovalContent, Payload } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { accessRequestFields, idOf, type Technician, type Thing, type World } from './world.ts';

export const entraGrantFields =
  '__typename id state entraRole entraScope entraAccountKind accountName reason ticket approvedAt activeAt expiresAt endedAt endReason failure technician { id } tenant { id } device { id }';

/** What somebody asks for in Entra, as it is sent. */
export interface EntraInput {
  id: Id;
  tenantId: Id;
  roleName: string;
  scope?: string;
  accountKind: 'JIT' | 'OWN';
  sessionSeconds: number;
  reason?: string;
  ticket?: string;
  recipientKey: string;
}

/** Where technicians ask for access in the Entra tenant of one customer, and what services/entra-connector says of it. */
export class EntraDesk {
  readonly world: World;
  readonly customer: Payload<'tenant-changed'>;
  #version = 0;

  constructor(world: World, customer: Payload<'tenant-changed'>) {
    this.world = world;
    this.customer = customer;
  }

  /** The connector tells whether access can be given now. */
  async connect(usable = true, problem: string | null = null): Promise<void> {
    const { mspId, tenantId } = this.customer;
    this.#version += 1;
    await this.world.service.tell('entra-connection-changed', { mspId, tenantId, usable, problem, version: this.#version });
    await this.world.service.settled();
  }

  input(change: Partial<EntraInput> = {}): EntraInput {
    return {
      ...{ id: newId(), tenantId: this.customer.tenantId, roleName: 'User Administrator', accountKind: 'JIT', sessionSeconds: 3600 },
      recipientKey: 'k'.repeat(43),
      ...change,
    };
  }

  /** What the technician signs for it. */
  content(by: Technician, input: EntraInput): EntraApprovalContent {
    return {
      ...{
        purpose: 'entra-access',
        technicianId: by.actor.id,
        grantId: input.id,
        tenantId: input.tenantId,
        tenantName: this.customer.name,
      },
      ...{ roleName: input.roleName, scope: input.scope ?? '/', accountKind: input.accountKind, recipientKey: input.recipientKey },
      ...{ durationSeconds: input.sessionSeconds, reason: input.reason ?? null, ticket: input.ticket ?? null },
    };
  }

  /** Asks as the technician's browser does. `signed` alters what the signature covers, `attack` how it is made. */
  async ask(
    by: Technician,
    input: EntraInput,
    signed: Partial<EntraApprovalContent> = {},
    attack: Parameters<World['assertion']>[2] = {},
  ): Promise<Thing> {
    const assertion = await this.world.assertion(by.phone, { ...this.content(by, input), ...signed }, attack);
    return this.send(by, { ...input, assertion });
  }

  /** The grant that it led to, or the request that waits, or the problem. */
  async send(by: Pick<Technician, 'actor'>, input: object): Promise<Thing> {
    const fields = `... on EntraAccessRequested { __typename grant { ${entraGrantFields} } accessRequest { ${accessRequestFields} entra { tenantName roleName scope accountKind recipientKey } } } ... on AccessDenied { rule }`;
    const answer = await this.world.mutate(by.actor, 'requestEntraAccess', fields, input);
    return (answer['grant'] ?? answer['accessRequest'] ?? answer) as Thing;
  }

  /** Another person's yes. */
  async approve(
    by: Technician,
    request: Thing,
    change: { sessionSeconds?: number } = {},
    signed: Partial<EntraApprovalContent> = {},
  ): Promise<Thing> {
    const { tenantName, roleName, scope, accountKind, recipientKey } = request['entra'] as Pick<
      EntraApprovalContent,
      'tenantName' | 'roleName' | 'scope' | 'accountKind' | 'recipientKey'
    >;
    const content: EntraApprovalContent = {
      ...{ purpose: 'entra-second-approval', technicianId: idOf(request['requester']), grantId: idOf(request) },
      ...{ tenantId: idOf(request['tenant']), tenantName, roleName, scope, accountKind, recipientKey },
      durationSeconds: change.sessionSeconds ?? Number(request['sessionSeconds']),
      ...{ reason: request['reason'] as string | null, ticket: request['ticket'] as string | null },
      ...signed,
    };
    const assertion = await this.world.assertion(by.phone, content);
    return this.world.mutate(by.actor, 'approveAccess', `... on AccessRequest { ${accessRequestFields} }`, {
      ...{ id: idOf(request), assertion },
      ...change,
    });
  }

  /** A grant without anybody else's yes: its id. */
  async granted(by: Technician, change: Partial<EntraInput> = {}): Promise<Id> {
    const grant = await this.ask(by, this.input(change));
    if (grant.__typename !== 'Grant') throw new Error(JSON.stringify(grant));
    return idOf(grant);
  }

  /** The same, active. */
  async active(by: Technician, change: Partial<EntraInput> = {}): Promise<Id> {
    const id = await this.granted(by, change);
    await this.report(id, 'ACTIVE', { accountName: 'jit-anna@contoso.example' });
    return id;
  }

  /** The connector reports, `secondsAgo` old. */
  async report(
    grantId: Id,
    state: Payload<'entra-grant-reported'>['state'],
    { secondsAgo = 0, ...change }: Partial<Payload<'entra-grant-reported'>> & { secondsAgo?: number } = {},
  ): Promise<void> {
    const { mspId, tenantId } = this.customer;
    const at = new Date(this.world.service.clock.now().getTime() - secondsAgo * 1000).toISOString();
    this.#version += 1;
    const why = state === 'FAILED' || state === 'STUCK' ? 'The pass policy forbids it.' : null;
    const version = this.#version;
    await this.world.service.tell('entra-grant-reported', {
      mspId,
      tenantId,
      grantId,
      state,
      at,
      accountName: null,
      why,
      version,
      ...change,
    });
    await this.world.service.settled();
  }

  async grant(by: Technician, id: Id): Promise<Thing> {
    return this.world.ask(by.actor, `query ($id: ID!) { grant(id: $id) { ${entraGrantFields} warnAt extendableUntil } }`, { id });
  }

  /** What the connector was told of the grant, by growing version. */
  told(grantId: Id): Payload<'entra-grant-changed'>[] {
    return this.world.service.others
      .received('entra-grant-changed')
      .filter((one) => one.grantId === grantId)
      .sort((a, b) => a.version - b.version);
  }
}
