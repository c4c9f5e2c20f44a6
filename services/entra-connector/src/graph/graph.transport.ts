import { randomUUID } from 'node:crypto';
import { Client, GraphClientError, GraphError, type Context, type Middleware } from '@microsoft/microsoft-graph-client';
import type { Clock } from '@stint/kernel';
import type { Urgency } from './directory.port.ts';
import { DirectoryError } from './directory-error.ts';
import { failureOf, type CallFacts, type GraphRefusal } from './graph-failure.domain.ts';
import { Lanes } from './lanes.ts';
import { Patience, type Delay } from './patience.ts';
import { TokenSource, type TokenOwner } from './token.source.ts';

/** One call of Graph. */
export interface GraphCall extends Omit<CallFacts, 'reads'> {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/v1.0`, with the query; values in it are encoded. */
  path: string;
  body?: object;
  headers?: Record<string, string>;
  /** Done twice it has the same effect as done once. Left out: all but POST have. */
  repeatable?: boolean;
}

/** Who calls: as whom, in which tenant, how urgently. */
export interface GraphCaller extends TokenOwner {
  urgency: Urgency;
}

export interface GraphTransportOptions {
  clock: Clock;
  delay: Delay;
  chance: () => number;
  /** After so long an answer is not waited for any more. */
  timeoutMs: number;
}

const callsPerTenant = 4;
const callsInAll = 64;
const partsPerBatch = 20;

/**
 * Calls to Microsoft Graph, through Microsoft's client: with a token, in turn, again where that is safe, and every failure in our
 * words. The client's own handlers for retries and redirects are left out: two who wait would wait on top of each other, and a
 * token goes nowhere else.
 */
export class GraphTransport {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #patience: Patience;
  readonly #tokens: TokenSource;
  readonly #lanes = new Lanes({ perTenant: callsPerTenant, inAll: callsInAll });

  constructor(options: GraphTransportOptions) {
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#patience = new Patience(options);
    this.#tokens = new TokenSource(options);
  }

  /** The answer's body (undefined where there is none); throws a `DirectoryError`. */
  async call<Answer>(caller: GraphCaller, call: GraphCall): Promise<Answer> {
    const repeatable = call.repeatable ?? call.method !== 'POST';
    return this.#patiently(caller, repeatable, () => this.#attempt<Answer>(caller, call));
  }

  /** Answers of reads, in their order, at most 20 to a request. Where one fails for good, its error is in its place. */
  async readTogether(caller: GraphCaller, calls: readonly GraphCall[]): Promise<unknown[]> {
    const answers: unknown[] = [];
    for (let at = 0; at < calls.length; at += partsPerBatch) {
      answers.push(...(await this.#readBatch(caller, calls.slice(at, at + partsPerBatch))));
    }
    return answers;
  }

  /** Items of a list, page by page. */
  async *pages<Item>(caller: GraphCaller, call: GraphCall): AsyncGenerator<Item[]> {
    let path: string | null = call.path;
    while (path !== null) {
      const page: { value?: Item[]; '@odata.nextLink'?: string } = await this.call(caller, { ...call, path });
      yield page.value ?? [];
      path = page['@odata.nextLink'] === undefined ? null : this.below(caller, page['@odata.nextLink']);
    }
  }

  async all<Item>(caller: GraphCaller, call: GraphCall): Promise<Item[]> {
    const items: Item[] = [];
    for await (const page of this.pages<Item>(caller, call)) items.push(...page);
    return items;
  }

  /** A new token, which knows of consents given a moment ago. */
  async freshToken(caller: GraphCaller): Promise<string> {
    return this.#patiently(caller, true, () => this.#tokens.token(caller, true));
  }

  /** The path below `/v1.0` of a link that Graph gave; anything else gets no token of ours. */
  below({ addresses }: GraphCaller, link: string): string {
    const root = `${addresses.graphUrl}/v1.0/`;
    if (!link.startsWith(root)) {
      throw new DirectoryError({ kind: 'INVALID', message: 'A list in Entra goes on at an address that is not Microsoft Graph.' });
    }
    return link.slice(root.length - 1);
  }

  #patiently<Result>({ entraTenantId, urgency }: GraphCaller, repeatable: boolean, attempt: () => Promise<Result>): Promise<Result> {
    return this.#patience.run({ key: entraTenantId, urgency, repeatable }, () => this.#lanes.run(entraTenantId, urgency, attempt));
  }

  async #readBatch(caller: GraphCaller, calls: readonly GraphCall[]): Promise<unknown[]> {
    const answers = new Map<number, unknown>();
    const ask = async (): Promise<void> => {
      const open = calls.flatMap((call, id) => (answers.has(id) && !(answers.get(id) instanceof DirectoryError) ? [] : [{ call, id }]));
      const { responses } = await this.#attempt<{ responses: BatchAnswer[] }>(caller, {
        ...{ method: 'POST', path: '/$batch', repeatable: true, purpose: calls[0]?.purpose ?? 'read', permissions: [] },
        body: { requests: open.map(({ call, id }) => ({ id: String(id), method: 'GET', url: call.path, headers: call.headers ?? {} })) },
      });
      const failures = open.flatMap(({ call, id }) => {
        const answer = responses.find((one) => one.id === String(id));
        const result = this.#partResult(call, answer);
        answers.set(id, result);
        return result instanceof DirectoryError ? [result] : [];
      });
      const again = failures.filter(({ kind }) => kind === 'THROTTLED' || kind === 'UNAVAILABLE' || kind === 'NOT_YET');
      const longest = again.toSorted((a, b) => (b.retryAfterSeconds ?? 0) - (a.retryAfterSeconds ?? 0))[0];
      if (longest !== undefined) throw longest;
    };
    // What does not come even with patience is left in its place, as what it is.
    await this.#patiently(caller, true, ask).catch((error: unknown) => {
      if (answers.size < calls.length) throw error;
    });
    return calls.map((_call, id) => answers.get(id));
  }

  #partResult(call: GraphCall, answer: BatchAnswer | undefined): unknown {
    if (answer !== undefined && answer.status < 300) return answer.body;
    const error = (answer?.body as { error?: { code?: string; message?: string } } | undefined)?.error;
    const refusal = {
      ...{ status: answer?.status ?? null, code: error?.code ?? '', message: error?.message ?? '', requestId: null, unsent: false },
      retryAfterSeconds: secondsOf(Object.entries(answer?.headers ?? {}).find(([name]) => name.toLowerCase() === 'retry-after')?.[1]),
    };
    return failureOf(refusal, { ...call, reads: true }, this.#clock.now());
  }

  async #attempt<Answer>(caller: GraphCaller, call: GraphCall): Promise<Answer> {
    const token = await this.#tokens.token(caller);
    try {
      return await this.#send<Answer>(caller, call, token);
    } catch (error) {
      const refusal = refusalOf(error);
      // Revoked before its end, or our clock is late: one new token, one more try.
      if (refusal.status === 401) {
        const fresh = await this.#tokens.token(caller, true);
        return this.#send<Answer>(caller, call, fresh).catch((again: unknown) => this.#fail(refusalOf(again), call));
      }
      return this.#fail(refusal, call);
    }
  }

  #fail(refusal: GraphRefusal, call: GraphCall): never {
    throw failureOf(refusal, { ...call, reads: call.method === 'GET' || call.path === '/$batch' }, this.#clock.now());
  }

  async #send<Answer>({ addresses, urgency }: GraphCaller, call: GraphCall, token: string): Promise<Answer> {
    const client = Client.initWithMiddleware({ baseUrl: addresses.graphUrl, defaultVersion: 'v1.0', middleware: new Send() });
    const request = client
      .api(call.path)
      .headers({
        Authorization: `Bearer ${token}`,
        'client-request-id': randomUUID(),
        'x-ms-throttle-priority': urgency.toLowerCase(),
        ...call.headers,
      })
      .options({ redirect: 'error', signal: AbortSignal.timeout(this.#timeoutMs) });
    switch (call.method) {
      case 'GET':
        return (await request.get()) as Answer;
      case 'POST':
        return (await request.post(call.body ?? {})) as Answer;
      case 'PATCH':
        return (await request.patch(call.body ?? {})) as Answer;
      case 'DELETE':
        return (await request.delete()) as Answer;
    }
  }
}

interface BatchAnswer {
  id: string;
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** Sends a request of Microsoft's client, and tells apart what never left from what got no answer. */
class Send implements Middleware {
  async execute(context: Context): Promise<void> {
    try {
      context.response = await fetch(context.request, context.options);
    } catch (error) {
      const unanswered = new GraphClientError('No answer.');
      unanswered.customError = { unsent: neverLeft(error) };
      throw unanswered;
    }
  }
}

const beforeSending = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

function neverLeft(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return beforeSending.some((code) => code === cause?.code);
}

function refusalOf(error: unknown): GraphRefusal {
  if (error instanceof GraphClientError) {
    const { unsent } = error.customError as { unsent: boolean };
    return { ...noAnswer, unsent };
  }
  if (!(error instanceof GraphError)) throw error;
  // A good status whose body could not be read is no answer either.
  if (error.statusCode < 400) return noAnswer;
  return {
    ...{ status: error.statusCode, code: error.code ?? '', message: error.message, requestId: error.requestId ?? null, unsent: false },
    retryAfterSeconds: secondsOf(error.headers?.get('retry-after') ?? undefined),
  };
}

const noAnswer: GraphRefusal = { status: null, code: '', message: '', requestId: null, retryAfterSeconds: null, unsent: false };

/** `Retry-After` in seconds (RFC 9110 §10.2.3); Graph does not use its form with a date. */
function secondsOf(header: string | undefined): number | null {
  return header !== undefined && /^\d+$/.test(header.trim()) ? Number(header) : null;
}
