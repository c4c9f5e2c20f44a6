import { randomUUID } from 'node:crypto';
import { accessOf, type Actor, type Payload, type Role } from '@stint/contracts';
import type { AppRegistration, EntraTenant, TenantGiven } from '@stint/graph-emulator';
import { newId, type Id } from '@stint/kernel';
import { neededPermissions } from '../connection/permission.domain.ts';
import type { TestEntraConnector } from './test-entra-connector.ts';

type Tenant = Payload<'tenant-changed'>;

/** A field of an answer with a `__typename`. */
export interface Thing {
  __typename: string;
  [field: string]: unknown;
}

/** A tenant that is connected to an Entra tenant. */
export interface Connected {
  tenant: Tenant;
  entra: EntraTenant;
  app: ReturnType<EntraTenant['registerApp']>;
  secret: string;
  /** Who connected it: may do everything in the MSP. */
  administrator: Actor;
}

/** All that Stint asks of a customer's Entra tenant. */
export const everythingNeeded: AppRegistration = {
  permissions: neededPermissions.map(({ name }) => name as NonNullable<AppRegistration['permissions']>[number]),
  directoryRoles: ['User Administrator', 'Privileged Authentication Administrator'],
};

/** Tenants and technicians of a test as the other services tell of them, and Entra tenants that are connected. */
export class World {
  readonly #service: TestEntraConnector;
  readonly #versions = new Map<Id, number>();

  constructor(service: TestEntraConnector) {
    this.#service = service;
  }

  async tenant(parent: Tenant | null): Promise<Tenant> {
    const id = newId();
    const path = [...(parent?.path ?? []), id];
    const told = { mspId: parent?.mspId ?? id, tenantId: id, parentId: parent?.tenantId ?? null, path, name: 'Contoso', version: 1 };
    await this.#service.tell('tenant-changed', told);
    return told;
  }

  /** Tells of a technician, or of what changed of one (give its id), and answers them as a caller with the role's access. */
  async technician(tenant: Tenant, role: Role, change: Partial<Payload<'technician-changed'>> = {}): Promise<Actor> {
    const technicianId = change.technicianId ?? newId();
    await this.#service.tell('technician-changed', {
      ...{ mspId: tenant.mspId, tenantId: tenant.tenantId, technicianId, email: 'anna@example.com', displayName: 'Anna Berg' },
      ...{ active: true, groupIds: [], assignments: [{ tenantId: tenant.tenantId, role }], totpEnrolled: false, ...change },
      version: this.#next(technicianId),
    });
    const access = accessOf([{ tenantId: tenant.tenantId, role }]);
    return { kind: 'technician', id: technicianId, mspId: tenant.mspId, tenantId: tenant.tenantId, access, sessionId: 'session-1' };
  }

  /** A customer of a new MSP, connected to an Entra tenant of the emulator by a secret, verified and usable unless said otherwise. */
  async connected(given: { entra?: TenantGiven; app?: AppRegistration; parent?: Tenant } = {}): Promise<Connected> {
    const msp = given.parent ?? (await this.tenant(null));
    const tenant = await this.tenant(msp);
    const administrator = await this.technician(msp, 'ADMINISTRATOR');
    const secret = `secret~${randomUUID()}`;
    const entra = this.#service.graph.tenant(given.entra);
    const app = entra.registerApp({ ...everythingNeeded, secrets: [{ value: secret }], ...given.app });
    const { tenantId } = tenant;
    // What a test's clock has left behind is not waited for any more.
    await this.#service.settled();
    await this.mutate(administrator, 'connectEntra', '', { tenantId, entraTenantId: entra.id, clientId: app.clientId });
    await this.mutate(administrator, 'addEntraSecret', '', { tenantId, secret, endsOn: this.day(365) });
    await this.mutate(administrator, 'verifyEntraConnection', '', { tenantId });
    return { tenant, entra, app, secret, administrator };
  }

  /** The day in so many days, as people write it. */
  day(inDays: number): string {
    return new Date(this.#service.clock.now().getTime() + inDays * 86_400_000).toISOString().slice(0, 10);
  }

  /** Sends a mutation with one input and answers its field; throws where GraphQL itself refuses. */
  async mutate(principal: Actor, name: string, fields: string, input: object): Promise<Thing> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`;
    const query = `mutation ($input: ${type}) { answer: ${name}(input: $input) { __typename ... on Problem { message } ${fields} } }`;
    const { data, errors } = await this.#service.send(principal, query, { input });
    if (errors !== undefined) throw Object.assign(new Error(JSON.stringify(errors)), { code: errors[0]?.extensions.code });
    return data?.['answer'] as Thing;
  }

  #next(id: Id): number {
    const version = (this.#versions.get(id) ?? 0) + 1;
    this.#versions.set(id, version);
    return version;
  }
}
