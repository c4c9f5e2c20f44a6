import {
  accessOf,
  approvalChallenge,
  type Actor,
  type ApprovalContent,
  type LoginApprovalContent,
  type Payload,
  type Role,
} from '@stint/contracts';
import { passkeyRegistrationOptions, passkeyRequestOptions, verifyPasskeyRegistration } from '@stint/crypto';
import { newId, type Id } from '@stint/kernel';
import { PasskeyEmulator, type PasskeyAlgorithm } from '@stint/passkey-emulator';
import { oldId, type Answer, type TestJitPolicy } from './test-jit-policy.ts';

/** What a passkey is known by: as the messages have it. */
type Key = Payload<'technician-keys-changed'>['keys'][number];

/** A technician with the passkey on their phone. */
export interface Technician {
  actor: Actor;
  phone: PasskeyEmulator;
  keys: readonly Key[];
  told: Payload<'technician-changed'>;
}

/** A computer. */
export interface Computer {
  actor: Actor;
  tenantId: Id;
  told: Payload<'device-changed'>;
}

/** A login as its device has it. */
export interface StartedLogin {
  id: Id;
  code: string;
  content: Omit<LoginApprovalContent, 'purpose' | 'technicianId'>;
}

/** An account as its device is told. */
interface DesiredAccount {
  grants: Record<string, unknown>[];
  [field: string]: unknown;
}

export interface Thing {
  __typename: string;
  [field: string]: unknown;
}

export const loginFields =
  '__typename id method state failure shownNumber hostName tenantName sessionSeconds expiresAt device { id } tenant { id } grant { id state accountName endReason expiresAt }';
export const grantFields =
  '__typename id state accountName reason ticket approvedAt activeAt expiresAt endedAt endReason failure technician { id } device { id }';
export const accessRequestFields =
  '__typename id state requester { id } device { id } tenant { id } ruleName reason ticket sessionSeconds needed approverGroup { id } approvals { approver { id } at sessionSeconds } requestedAt expiresAt endedAt endedBy { id } endedWhy loginRequest { id state shownNumber hostName tenantName }';
/** Mutations whose result union lists no `InvalidInput`. */
const withoutInput = new Set(['cancelLogin', 'denyLogin', 'endGrant', 'cancelAccess', 'removeAccessRule']);

type Attack = Parameters<PasskeyEmulator['sign']>[2];
/** Where the service under test is reached: see `PUBLIC_URL` in test-jit-policy.ts. */
const site = { origin: 'https://stint.example', rpId: 'stint.example' };

/** Tenants, technicians and computers of a test, and what they do. All ids are old unless said otherwise: nothing waits for them. */
export class World {
  readonly service: TestJitPolicy;
  readonly #keyVersions = new Map<Id, number>();

  constructor(service: TestJitPolicy) {
    this.service = service;
  }

  async tenant(parent: Payload<'tenant-changed'> | null, name = 'Contoso Dental', id: Id = oldId()): Promise<Payload<'tenant-changed'>> {
    const told = {
      mspId: parent?.mspId ?? id,
      tenantId: id,
      parentId: parent?.tenantId ?? null,
      path: [...(parent?.path ?? []), id],
      name,
      version: 1,
    };
    await this.service.tell('tenant-changed', told);
    return told;
  }

  async technician(
    tenant: Payload<'tenant-changed'>,
    role: Role = 'TECHNICIAN',
    change: Partial<Payload<'technician-changed'>> = {},
  ): Promise<Technician> {
    const told = {
      mspId: tenant.mspId,
      tenantId: tenant.tenantId,
      technicianId: oldId(),
      email: 'anna.berg@example.com',
      displayName: 'Anna Berg',
      active: true,
      assignments: [{ tenantId: tenant.tenantId, role }],
      groupIds: [],
      totpEnrolled: true,
      version: 1,
      ...change,
    };
    const { phone, key } = await newPhone(told);
    const technician = { actor: technicianActor(tenant, role, told.technicianId), phone, keys: [key], told };
    await this.service.tell('technician-changed', told);
    await this.service.tell('technician-keys-changed', keysOf(technician));
    return technician;
  }

  async computer(tenant: Payload<'tenant-changed'>, change: Partial<Payload<'device-changed'>> = {}): Promise<Computer> {
    const told = {
      mspId: tenant.mspId,
      tenantId: tenant.tenantId,
      deviceId: oldId(),
      kind: 'WORKSTATION' as const,
      hostName: 'ws-07',
      domain: null,
      tags: [],
      hpkeKey: '',
      active: true,
      version: 1,
      ...change,
    };
    await this.service.tell('device-changed', told);
    return {
      actor: { kind: 'device', id: told.deviceId, mspId: tenant.mspId, tenantId: tenant.tenantId },
      tenantId: tenant.tenantId,
      told,
    };
  }

  /** Sends and answers the one field; throws where GraphQL itself refuses. */
  async ask(principal: Actor, query: string, variables: object = {}): Promise<Thing> {
    return only(await this.service.send(principal, query, variables));
  }

  async mutate(principal: Actor, name: string, fields: string, input: object): Promise<Thing> {
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input!`;
    return this.ask(
      principal,
      `mutation ($input: ${type}) { ${name}(input: $input) { ${fields} ... on Problem { __typename message } ${withoutInput.has(name) ? '' : '... on InvalidInput { field }'} } }`,
      { input },
    );
  }

  async start(computer: Computer, method: 'QR' | 'TOTP' | 'PUSH' = 'QR', id: Id = newId(), email?: string): Promise<StartedLogin> {
    const started = await this.mutate(
      computer.actor,
      'startLogin',
      `... on StartedLogin { __typename qrPayload loginRequest { ${loginFields} } } ... on NotAllowedBySettings { setting }`,
      { id, method, email },
    );
    if (started.__typename !== 'StartedLogin') throw new Error(JSON.stringify(started));
    const login = started['loginRequest'] as Record<string, never>;
    const content: StartedLogin['content'] = {
      loginRequestId: id,
      tenantId: computer.tenantId,
      tenantName: login['tenantName'] ?? '',
      deviceId: computer.actor.id,
      hostName: login['hostName'] ?? '',
      accountKind: 'LOCAL',
      shownNumber: login['shownNumber'] ?? '',
      durationSeconds: login['sessionSeconds'] ?? 0,
      reason: null,
      ticket: null,
    };
    return { id, code: String(started['qrPayload']).split('/l/')[1] ?? '', content };
  }

  /** Approves as the phone does. `change` alters what is sent, `signed` what the signature covers. */
  approve(by: Technician, login: StartedLogin, change: object = {}, signed: Partial<LoginApprovalContent> = {}): Promise<Thing> {
    return this.approveBy(by.phone, by, login, change, signed);
  }

  /** Another phone with a new passkey of the technician, of which services/tenants tells. */
  async phone(by: Technician, algorithm: PasskeyAlgorithm = -7): Promise<PasskeyEmulator> {
    const { phone, key } = await newPhone(by.told, algorithm);
    const told = keysOf(by);
    const version = (this.#keyVersions.get(by.actor.id) ?? told.version) + 1;
    this.#keyVersions.set(by.actor.id, version);
    await this.service.tell('technician-keys-changed', { ...told, keys: [...told.keys, key], version });
    return phone;
  }

  /** Approves with the phone. `change` alters what is sent, `signed` what the passkey signs, `attack` how it does. */
  async approveBy(
    phone: PasskeyEmulator,
    by: Technician,
    login: StartedLogin,
    change: object = {},
    signed: Partial<LoginApprovalContent> = {},
    attack: Attack = {},
  ): Promise<Thing> {
    const content: LoginApprovalContent = { ...login.content, purpose: 'login', technicianId: by.actor.id, ...signed };
    const input = { id: login.id, code: login.code, assertion: await this.assertion(phone, content, attack), ...change };
    return this.mutate(by.actor, 'approveLogin', `... on LoginRequest { ${loginFields} } ... on AccessDenied { rule }`, input);
  }

  /** The passkey's signature over the content's challenge, as the browser sends it. */
  async assertion(phone: PasskeyEmulator, content: ApprovalContent, attack: Attack = {}): Promise<string> {
    const challenge = approvalChallenge(content).toString('base64url');
    const { optionsJson } = await passkeyRequestOptions({ rpId: site.rpId, challenge, timeoutSeconds: 60 });
    return JSON.stringify(phone.sign(optionsJson, site.origin, attack));
  }

  /** A login, approved: the id of its grant. */
  async granted(by: Technician, computer: Computer): Promise<Id> {
    const login = await this.approve(by, await this.start(computer));
    return idOf(login['grant']);
  }

  /** A login, approved, and its account active. */
  async active(by: Technician, computer: Computer, secondsAgo = 0): Promise<Id> {
    const grantId = await this.granted(by, computer);
    await this.report(computer, [{ grantId, state: 'ACTIVE', secondsAgo }]);
    return grantId;
  }

  async desired(
    computer: Computer,
    knownRevision: number | null = null,
  ): Promise<{ revision: number; checkInSeconds: number; offlineRevision: number; accounts: DesiredAccount[] | null }> {
    const fields =
      'revision checkInSeconds offlineRevision accounts { id name displayName state passwordLength removeNewPrivileged grants { grantId loginRequestId sessionSeconds activateBy expiresAt idleEndSeconds warnSeconds } }';
    const query = `query ($refs: [_Any!]!, $known: Int) { _entities(representations: $refs) { ... on Device { desiredState(knownRevision: $known) { ${fields} } } } }`;
    const answer = await this.service.send(computer.actor, query, {
      refs: [{ __typename: 'Device', id: computer.actor.id }],
      known: knownRevision,
    });
    const [device] = (answer.data?.['_entities'] ?? []) as { desiredState: never }[];
    if (device?.desiredState == null) throw new Error(JSON.stringify(answer));
    return device.desiredState;
  }

  /** Reports with the newest revision, about the account that the grant enables, or the device's first, unless said otherwise. */
  async report(computer: Computer, reports: Record<string, unknown>[], revision?: number): Promise<Thing> {
    const desired = await this.desired(computer);
    const accountOf = (grantId: unknown) =>
      (desired.accounts?.find(({ grants }) => grants.some((grant) => grant['grantId'] === grantId)) ?? desired.accounts?.[0])?.['id'];
    const filled = reports.map((report) => ({ accountId: accountOf(report['grantId']), secondsAgo: 0, ...report }));
    return this.mutate(computer.actor, 'reportAccounts', '... on ReportsTaken { __typename revision }', {
      revision: revision ?? desired.revision,
      reports: filled,
    });
  }

  /** An access rule of the tenant, made by its administrator: its id. About local administrators unless said otherwise. */
  async rule(tenant: { mspId: Id; tenantId: Id }, input: object, id: Id = newId()): Promise<Id> {
    const made = await this.mutate(technicianActor(tenant, 'ADMINISTRATOR'), 'createAccessRule', '... on AccessRule { __typename id }', {
      ...{ id, tenantId: tenant.tenantId, name: 'A rule', kinds: ['LOCAL_ADMIN'] },
      ...input,
    });
    if (made.__typename !== 'AccessRule') throw new Error(JSON.stringify(made));
    return idOf(made);
  }

  /** The access request of a login. */
  async requestOf(by: Technician, login: { id: Id }): Promise<Id> {
    const found = await this.ask(by.actor, 'query ($id: ID!) { loginRequest(id: $id) { accessRequest { id } } }', { id: login.id });
    return idOf(found['accessRequest']);
  }

  async accessRequest(by: Technician, id: Id): Promise<Thing> {
    return this.ask(by.actor, `query ($id: ID!) { accessRequest(id: $id) { ${accessRequestFields} } }`, { id });
  }

  async grant(by: Technician, id: Id): Promise<Thing> {
    return this.ask(by.actor, `query ($id: ID!) { grant(id: $id) { ${grantFields} } }`, { id });
  }

  async login(by: Actor, id: Id): Promise<Thing> {
    return this.ask(by, `query ($id: ID!) { loginRequest(id: $id) { ${loginFields} } }`, { id });
  }
}

/** A technician as the gateway forwards them, whether we know them or not. */
export function technicianActor(tenant: { mspId: Id; tenantId: Id }, role: Role = 'TECHNICIAN', id: Id = oldId()): Actor {
  return {
    kind: 'technician',
    id,
    mspId: tenant.mspId,
    tenantId: tenant.tenantId,
    access: accessOf([{ tenantId: tenant.tenantId, role }]),
  };
}

export function only(answer: Answer): Thing {
  const [value] = Object.values(answer.data ?? {});
  if (value == null || answer.errors !== undefined) throw new Error(JSON.stringify(answer));
  return value as Thing;
}

export function codeOf(answer: Answer): string | undefined {
  return answer.errors?.[0]?.extensions.code;
}

export function idOf(thing: unknown): Id {
  return (thing as { id: Id }).id;
}

/** The message about a technician's passkeys. */
export function keysOf({ told, keys }: Pick<Technician, 'told' | 'keys'>): Payload<'technician-keys-changed'> {
  const { mspId, tenantId, technicianId } = told;
  return { mspId, tenantId, technicianId, keys: [...keys], version: 1 };
}

/** A phone with a passkey of somebody, and what it is known by. */
export async function newPhone(
  owner: Pick<Payload<'technician-changed'>, 'technicianId' | 'email' | 'displayName'>,
  algorithm: PasskeyAlgorithm = -7,
): Promise<{ phone: PasskeyEmulator; key: Key }> {
  const phone = new PasskeyEmulator();
  const user = { id: Buffer.from(owner.technicianId), name: owner.email, displayName: owner.displayName };
  const { challenge, optionsJson } = await passkeyRegistrationOptions({ rpId: site.rpId, user, timeoutSeconds: 60 });
  const response = JSON.stringify(phone.register(optionsJson, site.origin, { algorithm }));
  const verdict = await verifyPasskeyRegistration(response, { challenge, ...site });
  if (!verdict.ok) throw new Error(verdict.failure);
  return { phone, key: verdict.passkey };
}
