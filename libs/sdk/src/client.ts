import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { systemClock, type Clock } from '@stint/kernel';
import { Kind, print, type DocumentNode } from 'graphql';
import { NetworkError, StintError, type GraphQLErrorEntry } from './errors.ts';
import type { Credential } from './key-proof.ts';
import type { SignedInPerson } from './person.ts';
import { nudgeStream, type Nudge } from './nudges.ts';
import { ServerTime } from './server-time.ts';
import { TokenSource } from './token-source.ts';
import { readJson, send } from './transport.ts';

export interface StintClientOptions {
  /** The gateway's public address as it calls itself (PUBLIC_URL): proofs are bound to it. */
  url: string;
  /** A device's or API client's key, or a person who signed in. Without one, requests are anonymous: enough to redeem an invitation or to enrol. */
  credential?: Credential | SignedInPerson;
  /** For each request, in milliseconds; 15,000 by default. */
  timeoutMs?: number;
  clock?: Clock;
}

export interface RequestOptions {
  signal?: AbortSignal;
}

/** `variables` may be left out where the document needs none. */
type RequestArguments<Variables> =
  Record<string, never> extends Variables
    ? [variables?: Variables, options?: RequestOptions]
    : [variables: Variables, options?: RequestOptions];

/** A signed-in connection to Stint's public GraphQL interface, for the agent, the command line and partners. Holds no sockets: nothing to close. */
export class StintClient {
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #tokens: TokenSource | undefined;
  readonly #printed = new WeakMap<DocumentNode, { query: string; operationName: string | undefined }>();

  constructor(options: StintClientOptions) {
    this.#url = new URL(options.url).href.replace(/\/+$/, '');
    this.#timeoutMs = options.timeoutMs ?? 15_000;
    if (options.credential) {
      const time = new ServerTime(options.clock ?? systemClock);
      this.#tokens = new TokenSource({ url: this.#url, credential: options.credential, time, timeoutMs: this.#timeoutMs });
    }
  }

  /** Runs one operation. Throws `StintError` for a refusal or an answer with errors, `NetworkError` where there is no answer, the signal's reason when aborted. */
  async request<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    ...[variables, options]: RequestArguments<Variables>
  ): Promise<Data> {
    const body = JSON.stringify({ ...this.#print(document), variables: variables ?? {} });
    const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' };
    const limits = { timeoutMs: this.#timeoutMs, signal: options?.signal };
    const response = await this.#signed('POST', '/graphql', (signed) =>
      send(`${this.#url}/graphql`, { method: 'POST', body, headers: { ...headers, ...signed } }, limits),
    );
    const answer = (await readJson(response, limits)) as { data?: unknown; errors?: readonly GraphQLErrorEntry[] };
    if (answer.errors && answer.errors.length > 0) throw graphqlError(answer.errors, answer.data);
    if (!response.ok || answer.data == null) throw new NetworkError(`${this.#url}/graphql answered HTTP ${response.status} without data.`);
    return answer.data as Data;
  }

  /**
   * Tells when to check in, for devices: yields after each (re)connection and each change, until `signal` aborts.
   * Reconnects by itself with growing, jittered delays; throws `StintError` when the credential itself is refused.
   */
  nudges(signal: AbortSignal): AsyncGenerator<Nudge, void, void> {
    return nudgeStream({ signal, open: (connection) => this.#openNudges(connection) });
  }

  async #openNudges(signal: AbortSignal): Promise<Response> {
    const url = `${this.#url}/nudge`;
    const response = await this.#signed('GET', '/nudge', (signed) =>
      openStream(url, { accept: 'text/event-stream', ...signed }, signal, this.#timeoutMs),
    );
    if (response.ok) return response;
    const answer = (await readJson(response, { timeoutMs: this.#timeoutMs, signal })) as { errors?: readonly GraphQLErrorEntry[] };
    throw answer.errors?.length ? graphqlError(answer.errors, null) : new NetworkError(`${url} answered HTTP ${response.status}.`);
  }

  /** Signs and sends; after a 401 once more with a new token (it may have expired, the key's time or nonce may be off). */
  async #signed(method: string, path: string, sendWith: (headers: Record<string, string>) => Promise<Response>): Promise<Response> {
    if (!this.#tokens) return sendWith({});
    const url = `${this.#url}${path}`;
    const response = await sendWith(await this.#tokens.headers(method, url));
    if (response.status !== 401) return response;
    await response.body?.cancel();
    this.#tokens.refused(response);
    return sendWith(await this.#tokens.headers(method, url));
  }

  #print(document: DocumentNode): { query: string; operationName: string | undefined } {
    let printed = this.#printed.get(document);
    if (!printed) {
      const operation = document.definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
      printed = { query: print(document), operationName: operation?.name?.value };
      this.#printed.set(document, printed);
    }
    return printed;
  }
}

/** The timeout covers only the answer's head: the stream itself is endless. */
async function openStream(url: string, headers: Record<string, string>, signal: AbortSignal, timeoutMs: number): Promise<Response> {
  const head = new AbortController();
  const timer = setTimeout(() => head.abort(), timeoutMs);
  try {
    return await fetch(url, { headers, signal: AbortSignal.any([signal, head.signal]), redirect: 'error' });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new NetworkError(`${url} cannot be reached.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function graphqlError(errors: readonly GraphQLErrorEntry[], data: unknown): StintError {
  const [first] = errors;
  const message = errors.map((error) => error.message).join(' ');
  return new StintError(first?.extensions?.code ?? 'INTERNAL', message, { correlationId: first?.extensions?.correlationId, errors, data });
}
