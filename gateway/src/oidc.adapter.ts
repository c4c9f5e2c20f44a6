import type { Clock } from '@stint/kernel';
import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { CredentialStore } from './credential.store.ts';
import { ReplayGuard } from './replay-guard.ts';
import type { ArtefactModel, SignInStore } from './sign-in.store.ts';

/** oidc-provider accepts proofs for 300 seconds and assertions until they end; both are remembered longer than that. */
const replaySeconds = 600;

const kept: Readonly<Record<string, ArtefactModel>> = {
  Interaction: 'INTERACTION',
  AuthorizationCode: 'AUTHORIZATION_CODE',
  RefreshToken: 'REFRESH_TOKEN',
};

/**
 * What oidc-provider keeps and looks up: registered credentials, used assertions and proofs (in this process), and in the
 * tenants service open sign-ins, codes, refresh tokens and grants, each of which is one session. Access tokens are not
 * stored, and neither are browser sessions: every authorization request asks for a sign-in.
 */
export function adapterFor(options: { credentials: CredentialStore; signIns: SignInStore; clock: Clock }): (model: string) => Adapter {
  const { credentials, signIns } = options;
  const replays = new ReplayGuard(replaySeconds, options.clock);
  return (name) => {
    const model = kept[name];
    if (model !== undefined) return artefacts(signIns, model);
    switch (name) {
      case 'Client':
        return { ...nothing, find: (id) => clientOf(credentials, id) };
      case 'ReplayDetection':
        // `find` comes right before `upsert`: it takes the id in the same step, so that of two at once only one is first.
        return {
          ...nothing,
          find: (id) => Promise.resolve(replays.once(id) ? undefined : { jti: id, kind: name, exp: Number.MAX_SAFE_INTEGER }),
        };
      case 'Grant':
        return {
          ...nothing,
          // Kept by `startSession`, which also knows how the person signed in.
          upsert: () => Promise.reject(new Error('A grant is kept when its session starts.')),
          find: async (id) => {
            const payload = await signIns.sessionPayload(id);
            return payload === null ? undefined : { ...(JSON.parse(payload) as AdapterPayload), jti: id };
          },
          // oidc-provider removes a grant only when a code or refresh token of it was used twice.
          destroy: (id) => signIns.endReusedSession(id),
        };
      default:
        return nothing;
    }
  };
}

function artefacts(signIns: SignInStore, model: ArtefactModel): Adapter {
  return {
    ...nothing,
    async upsert(id, payload) {
      const { grantId = null, rotations = null, exp = 0 } = payload;
      const expiresAt = new Date(exp * 1000);
      const live = await signIns.put({ model, id, payload: JSON.stringify(payload), sessionId: grantId, rotation: rotations, expiresAt });
      if (!live) throw new errors.InvalidGrant('the session has ended');
    },
    async find(id) {
      const found = await signIns.find(model, id);
      if (found === null) return undefined;
      return { ...(JSON.parse(found.payload) as AdapterPayload), jti: id, consumed: found.used ? true : undefined };
    },
    async consume(id) {
      if (!(await signIns.use(model, id))) throw new errors.InvalidGrant('already used');
    },
    destroy: (id) => signIns.remove(model, id),
  };
}

async function clientOf(credentials: CredentialStore, id: string): Promise<AdapterPayload | undefined> {
  const credential = await credentials.find(id);
  if (credential === null) return undefined;
  return {
    client_id: credential.id,
    stint_kind: credential.principal.kind,
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'EdDSA',
    // An API client chooses; what others hold must be worth nothing without their key.
    dpop_bound_access_tokens: credential.principal.kind !== 'client',
    jwks: { keys: [{ kty: 'OKP', crv: 'Ed25519', x: credential.publicKey, alg: 'EdDSA', use: 'sig' }] },
  } as AdapterPayload;
}

const nothing: Adapter = {
  upsert: () => Promise.resolve(),
  find: () => Promise.resolve(undefined),
  findByUserCode: () => Promise.resolve(undefined),
  findByUid: () => Promise.resolve(undefined),
  consume: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
  revokeByGrantId: () => Promise.resolve(),
};
