import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { answerBatch } from '../batch/batch.ts';
import { deltaRoutes } from '../delta/delta-routes.ts';
import { faultAnswer, type Faults } from '../faults/faults.ts';
import type { Throttle } from '../faults/throttle.ts';
import { groupRoutes } from '../groups/group-routes.ts';
import { organizationRoutes } from '../organization/organization-routes.ts';
import { passRoutes } from '../passes/pass-routes.ts';
import { roleRoutes } from '../roles/role-routes.ts';
import { scheduleRoutes } from '../roles/schedule-routes.ts';
import type { Store } from '../state/store.ts';
import { readAccessToken } from '../token/access-token.ts';
import { answerAdminConsent } from '../token/admin-consent.ts';
import { answerToken } from '../token/token-endpoint.ts';
import { answerPortal } from '../tenant/portal.ts';
import { deletedUserRoutes } from '../users/deleted-user-routes.ts';
import { userRoutes } from '../users/user-routes.ts';
import { badRequest, forbidden, GraphError, type Answer } from './answer.ts';
import { findRoute, type Route } from './call.ts';
import { exchangeOf, type Exchange, type IncomingRequest } from './exchange.ts';

// The first that fits: literal segments before place holders.
const routes: readonly Route[] = [
  ...deltaRoutes,
  ...userRoutes,
  ...groupRoutes,
  ...roleRoutes,
  ...scheduleRoutes,
  ...passRoutes,
  ...deletedUserRoutes,
  ...organizationRoutes,
];

/** Microsoft Graph and the token endpoint over HTTP. */
export class GraphServer {
  readonly #store: Store;
  readonly #throttle: Throttle;
  readonly #faults: Faults;
  readonly #server: Server;
  readonly #record: (exchange: Exchange) => void;
  readonly #issued: (accessToken: string) => void;
  pageSize: number;
  url = '';

  constructor(options: {
    store: Store;
    throttle: Throttle;
    faults: Faults;
    pageSize: number;
    record: (exchange: Exchange) => void;
    issued: (accessToken: string) => void;
  }) {
    this.#store = options.store;
    this.#throttle = options.throttle;
    this.#faults = options.faults;
    this.#record = options.record;
    this.#issued = options.issued;
    this.pageSize = options.pageSize;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // A mistake of the emulator's own: told, not hidden behind a crash.
        const message = error instanceof Error ? error.message : String(error);
        response.writeHead(500, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { code: 'EmulatorFailed', message } }));
      });
    });
  }

  async listen(host: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, resolve);
    });
    this.url = `http://${host}:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(message);
    const answer = await this.#answer(request, false);
    if (answer === 'RESET') {
      message.socket.destroy();
      return;
    }
    const { status, headers = {}, body } = answer;
    response.writeHead(status, { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }) });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  /** Faults, the endpoint itself, what is kept of both. */
  async #answer(request: IncomingRequest, batched: boolean): Promise<Answer | 'RESET'> {
    const at = this.#store.now();
    const fault = this.#faults.hit(request);
    if (fault !== null && fault.delayMs > 0) await wait(fault.delayMs);
    const instead = fault?.answer ?? null;
    let answer: Answer | 'RESET' | null = null;
    if (fault === null || instead === null || fault.when === 'AFTER') {
      answer = await this.#endpoint(request);
      this.#store.save();
    }
    if (instead !== null) answer = instead === 'RESET' ? 'RESET' : faultAnswer(instead, this.#store.nowIso());
    const given = answer ?? { status: 500 };
    if (given !== 'RESET') given.headers = { 'request-id': randomUUID(), ...clientRequestId(request), ...given.headers };
    this.#record(exchangeOf(at, request, given, batched));
    return given;
  }

  async #endpoint(request: IncomingRequest): Promise<Answer> {
    try {
      const { method, path } = request;
      const [, login, end] = /^\/login\/([^/]+)\/(oauth2\/v2\.0\/token|v2\.0\/adminconsent|portal)$/.exec(path) ?? [];
      const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams();
      if (login !== undefined && end === 'oauth2/v2.0/token' && method === 'POST') {
        const answer = await answerToken(this.#store, { loginUrl: `${this.url}/login`, graphUrl: this.url }, login, form);
        if (answer.body !== undefined && 'access_token' in answer.body) this.#issued(String(answer.body.access_token));
        return answer;
      }
      if (login !== undefined && end === 'v2.0/adminconsent' && method === 'GET')
        return answerAdminConsent(this.#store, login, request.query);
      if (login !== undefined && end === 'portal' && method === 'POST') return answerPortal(this.#store, login, form);
      if (path.startsWith('/v1.0/')) return await this.#graph(request);
      return { status: 404, body: { error: { code: 'NotFound', message: 'There is no such address.' } } };
    } catch (error) {
      if (error instanceof GraphError) return error.answer(this.#store.nowIso(), request.headers['client-request-id']);
      throw error;
    }
  }

  async #graph(request: IncomingRequest): Promise<Answer> {
    const { tenant, app, permissions } = await readAccessToken(this.#store, request.headers['authorization']);
    const path = request.path.slice('/v1.0'.length);
    if (path === '/$batch' && request.method === 'POST') {
      return answerBatch(request.body, async (part) => {
        const { authorization = '' } = request.headers;
        const answer = await this.#answer(asRequest(part.method, `/v1.0${part.url}`, { ...part.headers, authorization }, part.body), true);
        return answer === 'RESET' ? faultAnswer({ status: 503 }, this.#store.nowIso()) : answer;
      });
    }
    const found = findRoute(routes, request.method, path);
    const cost = found === null || found === 'METHOD' ? 1 : costOf(found.route, request.query);
    const headers = this.#throttle.count(tenant.id, app.clientId, cost);
    if (found === null) throw new GraphError(400, 'BadRequest', `Resource not found for the segment '${path.split('/')[1] ?? ''}'.`);
    if (found === 'METHOD') throw new GraphError(405, 'Request_BadRequest', 'Specified HTTP method is not allowed for the request target.');
    if (!found.route.permissions.some((permission) => permissions.includes(permission))) throw forbidden();
    if (typeof request.body === 'string') throw badRequest('Unable to read JSON request payload.');
    const { method, query, body } = request;
    const { route, params } = found;
    const answer = route.handle({
      ...{ store: this.#store, tenant, app, permissions, pageSize: this.pageSize, root: `${this.url}/v1.0` },
      ...{ method, path, params, query, headers: request.headers, body },
    });
    return { ...answer, headers: { ...headers, ...answer.headers } };
  }
}

/** $select saves a unit, and so does a small page. */
function costOf({ cost = 1 }: Route, query: URLSearchParams): number {
  const top = Number(query.get('$top') ?? NaN);
  return Math.max(1, cost - (query.has('$select') ? 1 : 0) - (top < 20 ? 1 : 0));
}

function clientRequestId({ headers }: IncomingRequest): Record<string, string> {
  const given = headers['client-request-id'];
  return given === undefined ? {} : { 'client-request-id': given };
}

async function readRequest(message: IncomingMessage): Promise<IncomingRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, [value].flat().join(', ')]));
  const text = Buffer.concat(chunks).toString('utf8');
  return asRequest(message.method ?? 'GET', message.url ?? '/', headers, readBody(text, headers['content-type'] ?? ''));
}

function asRequest(method: string, target: string, headers: Record<string, string>, body: unknown): IncomingRequest {
  const { pathname, searchParams } = new URL(target, 'http://emulator.invalid');
  return { method, target, path: decodeURIComponent(pathname), query: searchParams, headers, body };
}

function readBody(text: string, contentType: string): unknown {
  if (text === '') return undefined;
  if (contentType.startsWith('application/x-www-form-urlencoded')) return new URLSearchParams(text);
  if (!contentType.includes('json')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
