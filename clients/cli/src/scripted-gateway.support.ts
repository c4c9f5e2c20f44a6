// A gateway that answers what a test tells it to: for what a real one cannot be brought to do, and to see what was sent.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { newId } from '@stint/kernel';

export interface Call {
  operation: string;
  variables: Record<string, unknown>;
}

/** The data to answer; `hangUp` closes the connection without an answer, `refuse` answers a top-level error. */
export type Answer = (call: Call) => object | Promise<object>;
export const hangUp = {};

export function refuse(code: string, message: string): object {
  return { refused: { message, extensions: { code } } };
}

export class ScriptedGateway {
  readonly calls: Call[] = [];
  /** The refresh tokens that were used, in order. */
  readonly refreshed: string[] = [];
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
      const present = new URLSearchParams(body).get('refresh_token') ?? '';
      // As the real one: a token that is used twice ends the session.
      if (this.refreshed.includes(present)) return void send(400, { error: 'invalid_grant' });
      this.refreshed.push(present);
      return void send(200, { access_token: 'access', refresh_token: newId(), token_type: 'DPoP', expires_in: 60 });
    }
    const { operationName, variables } = JSON.parse(body) as { operationName: string; variables: Record<string, unknown> };
    const call = { operation: operationName, variables };
    this.calls.push(call);
    const answer = await this.#answers.get(operationName)?.(call);
    if (answer === hangUp) return void request.socket.destroy();
    if (answer === undefined) return void send(200, { errors: [{ message: `The test answers no ${operationName}.` }] });
    send(200, 'refused' in answer ? { errors: [answer.refused] } : { data: answer });
  }
}
