import { FakeClock } from '@stint/testing';
import { GraphEmulator, type AppRegistration, type EntraTenant, type GraphEmulatorOptions, type TenantGiven } from './index.ts';
import { permissionIds, type GraphPermission } from './token/permissions.ts';

export const everyPermission = Object.keys(permissionIds) as GraphPermission[];
export const secret = 'a-secret-of-the-app';

export interface Reply {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & {
    error?: { code: string; message: string; details?: { code: string }[] };
    value?: Record<string, unknown>[];
  };
}

/** A tenant of an emulator, and an app of it that calls. */
export interface Emulated {
  clock: FakeClock;
  graph: GraphEmulator;
  tenant: EntraTenant;
  app: ReturnType<EntraTenant['registerApp']>;
  /** Calls Graph with a token of the app; `path` is below /v1.0, or an address of its own (a nextLink). */
  call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Reply>;
  token: (form?: Record<string, string>, tenantId?: string) => Promise<Reply>;
}

/** Starts an emulator with one tenant and one app that may do everything, unless said otherwise. */
export async function emulated(given: GraphEmulatorOptions & { tenant?: TenantGiven; app?: AppRegistration } = {}): Promise<Emulated> {
  const { tenant: tenantGiven, app: appGiven, ...options } = given;
  const clock = new FakeClock();
  const graph = await GraphEmulator.start({ clock, ...options });
  const tenant = graph.tenant(tenantGiven);
  const app = tenant.registerApp({
    ...{ secrets: [{ value: secret }], permissions: everyPermission, directoryRoles: ['Privileged Authentication Administrator'] },
    ...appGiven,
  });
  const token: Emulated['token'] = (form = {}, tenantId = tenant.id) => {
    const usual = { grant_type: 'client_credentials', client_id: app.clientId, client_secret: secret, scope: `${graph.url}/.default` };
    // What is set to nothing is left out.
    const fields = Object.entries({ ...usual, ...form }).filter(([, value]) => value !== '');
    return reply(`${graph.loginUrl}/${tenantId}/oauth2/v2.0/token`, { method: 'POST', body: new URLSearchParams(fields) });
  };
  let bearer: string | null = null;
  const call: Emulated['call'] = async (method, path, body, headers = {}) => {
    bearer ??= String((await token()).body['access_token']);
    return reply(path.startsWith('http') ? path : `${graph.url}/v1.0${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  };
  return { clock, graph, tenant, app, call, token };
}

async function reply(url: string, request: RequestInit): Promise<Reply> {
  const response = await fetch(url, { ...request, redirect: 'manual' });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Reply['body'] };
}

/** What a user is made of. */
export function newUser(tenant: EntraTenant, more: Record<string, unknown> = {}) {
  return {
    accountEnabled: true,
    displayName: 'Jit One',
    mailNickname: 'jit-one',
    userPrincipalName: `jit-one@${tenant.initialDomain}`,
    passwordProfile: { password: 'Tr0ub4dor&3-horse', forceChangePasswordNextSignIn: false },
    ...more,
  };
}
