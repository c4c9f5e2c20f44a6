import { accessOf, type Actor, type LapsSettings, type Payload, type Role } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import type { TestLapsVault } from './test-laps-vault.ts';

type Tenant = Payload<'tenant-changed'>;

/** What holds where nothing is set. */
export const settingsByDefault: LapsSettings = {
  ...{
    localEnabled: false,
    localAccountName: 'stint-admin',
    localActive: true,
    domainEnabled: false,
    domainAccountName: 'stint-domain-admin',
  },
  ...{ readerGroups: [], requireTicket: false, intervalSeconds: 86_400, rotateAfterRevealSeconds: 3600, historyLength: 12 },
  ...{ passwordStyle: 'CHARACTERS', passwordLength: 24, passphraseWords: 6, passwordUnambiguous: true, passwordSymbols: true },
};

/** A field of an answer with a `__typename`. */
export interface Thing {
  __typename: string;
  [field: string]: unknown;
}

/** Tenants, technicians and devices of a test, as the other services tell of them. */
export class World {
  readonly #service: TestLapsVault;
  readonly #versions = new Map<Id, number>();

  constructor(service: TestLapsVault) {
    this.#service = service;
  }

  async tenant(parent: Tenant | null): Promise<Tenant> {
    const id = newId();
    const path = [...(parent?.path ?? []), id];
    const told = { mspId: parent?.mspId ?? id, tenantId: id, parentId: parent?.tenantId ?? null, path, name: 'Contoso', version: 1 };
    await this.#service.tell('tenant-changed', told);
    return told;
  }

  /** Sets what holds in a tenant; what is left out is as by default. */
  async settings({ mspId, tenantId }: Tenant, settings: Partial<LapsSettings>): Promise<void> {
    await this.#service.tell('laps-settings-changed', {
      ...{ mspId, tenantId, version: this.#next(tenantId) },
      settings: { ...settingsByDefault, ...settings },
    });
  }

  /** Tells of a technician, or of what changed of one (give its id). */
  async technician(tenant: Tenant, role: Role, change: Partial<Payload<'technician-changed'>> = {}): Promise<Actor> {
    const technicianId = change.technicianId ?? newId();
    await this.#service.tell('technician-changed', {
      ...{
        mspId: tenant.mspId,
        tenantId: tenant.tenantId,
        technicianId,
        email: 'anna@example.com',
        displayName: 'Anna Berg',
        active: true,
      },
      ...{ assignments: [{ tenantId: tenant.tenantId, role }], groupIds: [], totpEnrolled: false },
      ...change,
      version: this.#next(technicianId),
    });
    const access = accessOf([{ tenantId: tenant.tenantId, role }]);
    return { kind: 'technician', id: technicianId, mspId: tenant.mspId, tenantId: tenant.tenantId, access };
  }

  async device(tenant: Tenant, change: Partial<Payload<'device-changed'>> = {}): Promise<Payload<'device-changed'>> {
    const told = {
      ...{ mspId: tenant.mspId, tenantId: tenant.tenantId, deviceId: newId(), kind: 'WORKSTATION' as const, hostName: 'ws-07' },
      ...{ domain: null, tags: [], hpkeKey: '', active: true },
      ...change,
    };
    const message = { ...told, version: this.#next(told.deviceId) };
    await this.#service.tell('device-changed', message);
    return message;
  }

  /** The device as a caller. */
  actorOf({ mspId, tenantId, deviceId }: Payload<'device-changed'>): Actor {
    return { kind: 'device', id: deviceId, mspId, tenantId };
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
