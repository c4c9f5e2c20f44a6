import { id, permissions, type Access } from '@stint/contracts';
import { z } from 'zod';
import type { SubgraphDataSource } from './subgraph.data-source.ts';

export type ArtefactModel = 'INTERACTION' | 'AUTHORIZATION_CODE' | 'REFRESH_TOKEN';
export type SignInMethod = 'PASSKEY' | 'IDENTITY_PROVIDER' | 'IDENTITY_PROVIDER_AND_PASSKEY';

export interface TechnicianPrincipal {
  mspId: string;
  tenantId: string;
  access: Access[];
}

/** The tenants service refused a sign-in; the message is for the person. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused';
}

const artefact = z.object({ payload: z.string(), used: z.boolean() }).nullable();
const technician = z
  .object({
    mspId: id,
    tenantId: id,
    active: z.boolean(),
    access: z.array(z.object({ tenantId: id, permissions: z.array(z.enum(permissions)) })),
  })
  .nullable();
const answered = z.looseObject({ __typename: z.string(), message: z.string().optional() });
const signedIn = z.object({ technicianId: id, signedInAt: z.coerce.date() });
const identityProviderStarted = z.object({ url: z.url(), transaction: z.string() });
const identityProviderFinished = z.object({ technicianId: id, passkeyToo: z.boolean() });

/** What the gateway asks the tenants service about people who sign in: it has no database of its own (ADR 0013). */
export class SignInStore {
  readonly #tenants: SubgraphDataSource;

  constructor(tenants: SubgraphDataSource) {
    this.#tenants = tenants;
  }

  async find(model: ArtefactModel, artefactId: string): Promise<{ payload: string; used: boolean } | null> {
    const query = 'query ($model: SignInArtefactModel!, $id: String!) { signInArtefact(model: $model, id: $id) { payload used } }';
    return artefact.parse((await this.#ask(query, { model, id: artefactId }))['signInArtefact']);
  }

  /** False when the session that it belongs to has ended. */
  async put(input: {
    model: ArtefactModel;
    id: string;
    payload: string;
    sessionId: string | null;
    rotation: number | null;
    expiresAt: Date;
  }): Promise<boolean> {
    const query = 'mutation ($input: PutSignInArtefactInput!) { putSignInArtefact(input: $input) }';
    return (await this.#ask(query, { input }))['putSignInArtefact'] === true;
  }

  /** False for a second use, with which the session has ended. */
  async use(model: ArtefactModel, artefactId: string): Promise<boolean> {
    const query = 'mutation ($input: SignInArtefactInput!) { useSignInArtefact(input: $input) }';
    return (await this.#ask(query, { input: { model, id: artefactId } }))['useSignInArtefact'] === true;
  }

  async remove(model: ArtefactModel, artefactId: string): Promise<void> {
    const query = 'mutation ($input: SignInArtefactInput!) { removeSignInArtefact(input: $input) }';
    await this.#ask(query, { input: { model, id: artefactId } });
  }

  /** How many tries it were so far to sign in with this interaction, this one included. */
  async countTry(interactionId: string): Promise<number> {
    return Number((await this.#ask('mutation ($id: String!) { countSignInTry(id: $id) }', { id: interactionId }))['countSignInTry']);
  }

  async sessionPayload(sessionId: string): Promise<string | null> {
    const { sessionPayload } = await this.#ask('query ($id: ID!) { sessionPayload(id: $id) }', { id: sessionId });
    return typeof sessionPayload === 'string' ? sessionPayload : null;
  }

  async startSession(input: {
    id: string;
    technicianId: string;
    client: string;
    userAgent: string;
    signedInBy: SignInMethod;
    payload: string;
    expiresAt: Date;
  }): Promise<void> {
    const query = 'mutation ($input: StartSessionInput!) { startSession(input: $input) { __typename ... on Problem { message } } }';
    expected((await this.#ask(query, { input }))['startSession'], 'SignInSession');
  }

  async endReusedSession(sessionId: string): Promise<void> {
    await this.#ask('mutation ($id: ID!) { endReusedSession(id: $id) }', { id: sessionId });
  }

  /** What a technician may do now; null when they may not sign in (any more). */
  async principalOf(technicianId: string): Promise<TechnicianPrincipal | null> {
    const query = 'query ($id: ID!) { technicianPrincipal(id: $id) { mspId tenantId active access { tenantId permissions } } }';
    const found = technician.parse((await this.#ask(query, { id: technicianId }))['technicianPrincipal']);
    return found?.active === true ? { mspId: found.mspId, tenantId: found.tenantId, access: found.access } : null;
  }

  /** WebAuthn request options (JSON) with a challenge that counts once. */
  async startPasskey(): Promise<string> {
    const query = 'mutation { startPasskeySignIn { optionsJson } }';
    return z.object({ optionsJson: z.string() }).parse((await this.#ask(query, {}))['startPasskeySignIn']).optionsJson;
  }

  /**
   * Throws `SignInRefused` for anything but a right and first answer to a challenge. `vouchedFor`: the technician for whom
   * the identity provider has just vouched; nobody else is let in then.
   */
  async finishPasskey(input: {
    response: string;
    userAgent: string;
    vouchedFor: string | null;
  }): Promise<{ technicianId: string; signedInAt: Date }> {
    const query = `mutation ($response: String!, $userAgent: String!, $vouchedFor: ID) {
      finishPasskeySignIn(input: { response: $response, userAgent: $userAgent, vouchedFor: $vouchedFor }) {
        __typename ... on SignedIn { technicianId signedInAt } ... on Problem { message }
      }
    }`;
    return signedIn.parse(expected((await this.#ask(query, input))['finishPasskeySignIn'], 'SignedIn'));
  }

  /** Where to send the browser; `transaction` is needed at its return. */
  async startIdentityProvider(email: string, redirectUri: string): Promise<{ url: string; transaction: string }> {
    const query = `mutation ($email: String!, $redirectUri: String!) {
      startIdentityProviderSignIn(input: { email: $email, redirectUri: $redirectUri }) {
        __typename ... on IdentityProviderSignInStarted { url transaction } ... on Problem { message }
      }
    }`;
    const { startIdentityProviderSignIn: answer } = await this.#ask(query, { email, redirectUri });
    return identityProviderStarted.parse(expected(answer, 'IdentityProviderSignInStarted'));
  }

  async finishIdentityProvider(transaction: string, callbackUrl: string): Promise<{ technicianId: string; passkeyToo: boolean }> {
    const query = `mutation ($transaction: String!, $callbackUrl: String!) {
      finishIdentityProviderSignIn(input: { transaction: $transaction, callbackUrl: $callbackUrl }) {
        __typename ... on IdentityProviderSignedIn { technicianId passkeyToo } ... on Problem { message }
      }
    }`;
    const { finishIdentityProviderSignIn: answer } = await this.#ask(query, { transaction, callbackUrl });
    return identityProviderFinished.parse(expected(answer, 'IdentityProviderSignedIn'));
  }

  #ask(query: string, variables: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.#tenants.askAsGateway<Record<string, unknown>>(query, variables);
  }
}

/** The wanted member of a result union; `SignInRefused` with the message of any other. */
function expected(answer: unknown, type: string): Record<string, unknown> {
  const { __typename: found, message, ...rest } = answered.parse(answer);
  if (found !== type) throw new SignInRefused(message ?? 'You cannot sign in with this.');
  return rest;
}
