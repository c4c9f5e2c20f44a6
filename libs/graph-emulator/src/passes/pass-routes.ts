import { randomInt, randomUUID } from 'node:crypto';
import type {
  AuthenticationMethodTarget,
  TemporaryAccessPassAuthenticationMethod,
  TemporaryAccessPassAuthenticationMethodConfiguration,
} from '@microsoft/microsoft-graph-types';
import { addSeconds } from '@stint/kernel';
import { GraphError, type Answer } from '../http/answer.ts';
import { bodyOf, booleanOf, stringOf, type Call, type Route } from '../http/call.ts';
import { entity, list } from '../http/list.ts';
import { checkMayTouch } from '../roles/role-holding.ts';
import type { PassState, TapPolicy, TenantState } from '../state/state.ts';
import { hash, iso, type Store } from '../state/store.ts';
import { allows } from '../token/permissions.ts';
import { seenUser, userToChange } from '../users/user-routes.ts';

const invalid = (message: string) => new GraphError(400, 'badRequest', message);

/** Where a pass stands; `methodUsabilityReason` in Graph's words. */
export function usability(
  store: Store,
  tenant: TenantState,
  pass: PassState,
): 'EnabledByPolicy' | 'DisabledByPolicy' | 'Expired' | 'NotYetValid' | 'OneTimeUsed' {
  const now = store.now();
  if (tenant.tapPolicy.state === 'disabled') return 'DisabledByPolicy';
  if (passEnd(pass) <= now) return 'Expired';
  if (pass.isUsableOnce && pass.usedAt !== null) return 'OneTimeUsed';
  return new Date(pass.startsAt) > now ? 'NotYetValid' : 'EnabledByPolicy';
}

/** When a pass ends, used or not; a session that began with it ends then too. */
export function passEnd({ startsAt, lifetimeInMinutes }: PassState): Date {
  return addSeconds(new Date(startsAt), lifetimeInMinutes * 60);
}

function presentPass({ store, tenant }: Call, pass: PassState, value: string | null = null): TemporaryAccessPassAuthenticationMethod {
  const reason = usability(store, tenant, pass);
  return {
    id: pass.id,
    isUsable: reason === 'EnabledByPolicy',
    isUsableOnce: pass.isUsableOnce,
    lifetimeInMinutes: pass.lifetimeInMinutes,
    methodUsabilityReason: reason,
    startDateTime: pass.startsAt,
    temporaryAccessPass: value,
    createdDateTime: pass.createdAt,
  };
}

/** Makes a pass and tells its value, this once. An earlier one is replaced, as Microsoft documents ("Create temporaryAccessPassMethod"). */
function createPass(call: Call): Answer {
  const { store, tenant } = call;
  const user = userToChange(call);
  const policy = tenant.tapPolicy;
  const body = bodyOf(call);
  checkMayTouch(call, user.id);
  if (policy.state === 'disabled')
    throw invalid('Temporary Access Pass is not enabled by the authentication methods policy of the tenant.');
  const lifetime = body['lifetimeInMinutes'] ?? policy.defaultLifetimeInMinutes;
  const { minimumLifetimeInMinutes: least, maximumLifetimeInMinutes: most } = policy;
  if (typeof lifetime !== 'number' || !Number.isInteger(lifetime) || lifetime < least || lifetime > most) {
    throw invalid(`The lifetime of a Temporary Access Pass must be between ${least} and ${most} minutes.`);
  }
  const once = booleanOf(body, 'isUsableOnce') ?? policy.isUsableOnce;
  if (policy.isUsableOnce && !once) throw invalid('Only Temporary Access Passes for one use are allowed by policy.');
  const start = stringOf(body, 'startDateTime');
  if (start !== null && Number.isNaN(Date.parse(start))) throw invalid("The value of 'startDateTime' is not valid.");
  const value = makeValue(policy);
  const pass: PassState = {
    id: randomUUID(),
    userId: user.id,
    valueHash: hash(value),
    createdAt: store.nowIso(),
    startsAt: start === null ? store.nowIso() : iso(new Date(start)),
    lifetimeInMinutes: lifetime,
    isUsableOnce: once,
    usedAt: null,
  };
  tenant.passes = [...tenant.passes.filter(({ userId }) => userId !== user.id), pass];
  return entity(call, contextOf(user.id), presentPass(call, pass, value), null, 201);
}

const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789*+$%&=';

function makeValue({ defaultLength }: TapPolicy): string {
  return Array.from({ length: defaultLength }, () => alphabet[randomInt(alphabet.length)]).join('');
}

const contextOf = (userId: string) => `users('${userId}')/authentication/temporaryAccessPassMethods`;

function passesOf(call: Call, userId: string): PassState[] {
  return call.tenant.passes.filter((pass) => pass.userId === userId);
}

function passOf(call: Call): PassState {
  const user = seenUser(call);
  const pass = passesOf(call, user.id).find(({ id }) => id === call.params['pass']);
  if (pass === undefined) throw new GraphError(404, 'resourceNotFound', 'The authentication method was not found.');
  return pass;
}

function deletePass(call: Call): Answer {
  checkMayTouch(call, userToChange(call).id);
  const pass = passOf(call);
  call.tenant.passes = call.tenant.passes.filter((one) => one !== pass);
  return { status: 204 };
}

function presentPolicy({ root, tenant: { tapPolicy: policy } }: Call) {
  const targets: AuthenticationMethodTarget[] = (policy.includedGroupIds ?? ['all_users']).map((id) => ({
    id,
    targetType: 'group',
    isRegistrationRequired: false,
  }));
  const shown: TemporaryAccessPassAuthenticationMethodConfiguration = {
    id: 'TemporaryAccessPass',
    state: policy.state,
    excludeTargets: [],
    defaultLength: policy.defaultLength,
    defaultLifetimeInMinutes: policy.defaultLifetimeInMinutes,
    isUsableOnce: policy.isUsableOnce,
    maximumLifetimeInMinutes: policy.maximumLifetimeInMinutes,
    minimumLifetimeInMinutes: policy.minimumLifetimeInMinutes,
    includeTargets: targets,
  };
  return {
    '@odata.type': '#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration',
    'includeTargets@odata.context': `${root}/$metadata#policies/authenticationMethodsPolicy/authenticationMethodConfigurations('TemporaryAccessPass')/microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration/includeTargets`,
    ...shown,
  };
}

const methods = '/users/{user}/authentication/temporaryAccessPassMethods';

export const passRoutes: readonly Route[] = [
  { method: 'POST', pattern: methods, permissions: allows.writePasses, handle: createPass },
  {
    method: 'GET',
    pattern: methods,
    permissions: allows.readPasses,
    handle: (call) => {
      const { id } = seenUser(call);
      return list(call, passesOf(call, id), {
        ...{ context: contextOf(id), present: (pass) => presentPass(call, pass), filterable: [], maximumTop: null },
      });
    },
  },
  {
    method: 'GET',
    pattern: `${methods}/{pass}`,
    permissions: allows.readPasses,
    handle: (call) => entity(call, contextOf(seenUser(call).id), presentPass(call, passOf(call))),
  },
  { method: 'DELETE', pattern: `${methods}/{pass}`, permissions: allows.writePasses, handle: deletePass },
  {
    method: 'GET',
    pattern: '/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass',
    permissions: allows.readPolicies,
    handle: (call) => entity(call, 'authenticationMethodConfigurations', presentPolicy(call)),
  },
];
