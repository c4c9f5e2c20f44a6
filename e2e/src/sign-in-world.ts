import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { startGatewayFromEnv } from '@stint/gateway';
import { loadConfig, type Running } from '@stint/host';
import { newId } from '@stint/kernel';
import { PasskeyEmulator } from '@stint/passkey-emulator';
import { signIn, StintClient, type NewSignIn } from '@stint/sdk';
import { startTenants, tenantsConfig } from '@stint/tenants';
import { parse } from 'graphql';
import { createInstallation, type Installation } from './installation.ts';

/** Somebody with a passkey on their phone. */
export interface Person {
  id: string;
  phone: PasskeyEmulator;
}

type Answer = Record<string, Record<string, unknown>>;

/** The gateway and the tenants service, really started, with a first administrator: what signing in takes. */
export class SignInWorld {
  readonly installation: Installation;
  readonly administrator: Person;
  readonly mspId: string;
  readonly #running: readonly Running[];

  private constructor(parts: { installation: Installation; administrator: Person; mspId: string; running: readonly Running[] }) {
    this.installation = parts.installation;
    this.administrator = parts.administrator;
    this.mspId = parts.mspId;
    this.#running = parts.running;
  }

  /** `startGateway` may put something else in the gateway's place; `prepare` changes the environments before. */
  static async start(
    options: {
      prepare?: (installation: Installation) => Promise<void>;
      startGateway?: (environment: Record<string, string>) => Promise<Running>;
    } = {},
  ): Promise<SignInWorld> {
    const installation = await createInstallation();
    await options.prepare?.(installation);
    let link = '';
    const tenants = await startTenants(loadConfig(tenantsConfig, installation.environments.tenants), {
      onFirstLink: (first) => (link = first),
    });
    const gateway = await (options.startGateway ?? startGatewayFromEnv)(installation.environments.gateway);
    const first = { displayName: 'Ada', email: 'ada@example.com', mspName: 'Northwind' };
    const { id, phone, mspId } = await join(installation.url, link, first);
    return new SignInWorld({ installation, administrator: { id, phone }, mspId, running: [tenants, gateway] });
  }

  get url(): string {
    return this.installation.url;
  }

  signIn({ phone }: Person): Promise<NewSignIn> {
    return signIn({ url: this.url, passkey: (options, origin) => phone.sign(options as never, origin) });
  }

  async client(person: Person): Promise<StintClient> {
    return new StintClient({ url: this.url, credential: await this.signIn(person) });
  }

  /** Somebody else, who has joined. */
  async invited(role = 'TECHNICIAN'): Promise<Person> {
    const administrator = await this.client(this.administrator);
    const input = { id: newId(), tenantId: this.mspId, email: `${newId()}@example.com`, roles: [role] };
    const { inviteTechnician } = await ask(
      administrator,
      'mutation ($input: InviteTechnicianInput!) { inviteTechnician(input: $input) { __typename ... on Invitation { link } ... on Problem { message } } }',
      { input },
    );
    const { id, phone } = await join(this.url, String(inviteTechnician?.['link']), { displayName: 'Anna' });
    return { id, phone };
  }

  async audited(): Promise<{ action: string; subjectId: string; details: Record<string, unknown> }[]> {
    const { tenant } = await ask(
      await this.client(this.administrator),
      'query ($id: ID!) { tenant(id: $id) { auditLog(first: 100) { edges { node { action subjectId details } } } } }',
      { id: this.mspId },
    );
    const { edges } = tenant?.['auditLog'] as { edges: { node: { action: string; subjectId: string; details: string } }[] };
    return edges.map(({ node }) => ({ ...node, details: JSON.parse(node.details) as Record<string, unknown> }));
  }

  async stop(): Promise<void> {
    for (const part of this.#running.toReversed()) await part.close();
    await this.installation.remove();
  }
}

/** Runs an operation that is told as text. */
export function ask(client: StintClient, query: string, variables: object = {}): Promise<Answer> {
  return client.request(parse(query) as TypedDocumentNode<Answer, object>, variables);
}

async function join(url: string, link: string, who: object): Promise<Person & { mspId: string }> {
  const [anonymous, phone] = [new StintClient({ url }), new PasskeyEmulator()];
  const token = link.split('#')[1];
  const { startJoining } = await ask(
    anonymous,
    'mutation ($input: StartJoiningInput!) { startJoining(input: $input) { __typename ... on JoiningStarted { optionsJson } ... on Problem { message } } }',
    { input: { token } },
  );
  const registration = JSON.stringify(phone.register(String(startJoining?.['optionsJson']), url));
  const { redeemInvitation } = await ask(
    anonymous,
    `mutation ($input: RedeemInvitationInput!) { redeemInvitation(input: $input) {
      __typename ... on SignUp { technician { id tenant { id } } } ... on Problem { message } } }`,
    { input: { token, registration, ...who } },
  );
  const { id, tenant } = redeemInvitation?.['technician'] as { id: string; tenant: { id: string } };
  return { id, phone, mspId: tenant.id };
}
