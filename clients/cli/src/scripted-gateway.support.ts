// A gateway that answers what a test tells it to: for what a real one cannot be brought to do, and to see what was sent.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Call {
  operation: string;
  variables: Record<string, unknown>;
  /** Who signed in; null for an anonymous request. */
  credentialId: string | null;
}

/** The data to answer; `hangUp` closes the connection without an answer, `refuse` answers a top-level error. */
export type Answer = (call: Call) => object | Promise<object>;
export const hangUp = {};

export function refuse(code: string, message: string): object {
  return { refused: { message, extensions: { code } } };
}

export class ScriptedGateway {
  readonly calls: Call[] = [];
  /** Credentials that may sign in; null for any. */
  registered: Set<string> | null = null;
  readonly #answers = new Map<string, Answer>();
  readonly #server = createServer((request, response) => void this.#handle(request, response));

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What an operation answers from now on. */
  on(operation: string, answer: Answer): this {
    this.#answers.set(operation, answer);
    return this;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const send = (status: number, value: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.url === '/oauth/token') {
      const [, claims = ''] = (new URLSearchParams(body).get('client_assertion') ?? '').split('.');
      const { sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string };
      if (this.registered !== null && !this.registered.has(sub)) return void send(401, { error: 'invalid_client' });
      return void send(200, { access_token: sub, token_type: 'DPoP', expires_in: 60 });
    }
    const { operationName, variables } = JSON.parse(body) as { operationName: string; variables: Record<string, unknown> };
    const call = { operation: operationName, variables, credentialId: request.headers.authorization?.replace('DPoP ', '') ?? null };
    this.calls.push(call);
    const answer = await this.#answers.get(operationName)?.(call);
    if (answer === hangUp) return void request.socket.destroy();
    if (answer === undefined) return void send(200, { errors: [{ message: `The test answers no ${operationName}.` }] });
    send(200, 'refused' in answer ? { errors: [answer.refused] } : { data: answer });
  }
}
