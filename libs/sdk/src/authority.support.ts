// The server's side of the tests: a token endpoint, GraphQL and nudges that check what the RFCs ask of a client.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose';

type GraphqlAnswer = (body: { query: string; variables: Record<string, unknown>; operationName?: string }) => {
  status?: number;
  body?: unknown;
  text?: string;
  hang?: boolean;
};

export class Authority {
  url = '';
  /** The server's clock, in seconds before or after the real one. */
  clockOffsetSeconds = 0;
  /** Wanted in each proof when set. */
  tokenNonce: string | undefined;
  resourceNonce: string | undefined;
  tokenSeconds = 300;
  refuseCredential = false;
  tokensGiven = 0;
  /** The one that counts. */
  refreshToken = 'refresh-0';
  refreshes = 0;
  /** So many refreshes get no answer. */
  loseAnswers = 0;
  requests = 0;
  graphql: GraphqlAnswer = () => ({ body: { data: {} } });
  streams: ServerResponse[] = [];
  #tokens = new Map<string, { jkt: string; exp: number }>();
  readonly #key: KeyObject;
  readonly #usedIds = new Set<string>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor(privateKey: KeyObject) {
    this.#key = createPublicKey(privateKey);
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** As if every token had ended early. */
  forgetTokens(): void {
    this.#tokens.clear();
  }

  #now(): number {
    return Math.floor(Date.now() / 1000) + this.clockOffsetSeconds;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('date', new Date(this.#now() * 1000).toUTCString());
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    try {
      if (request.url === '/oauth/token') await this.#token(request, body, response);
      else await this.#resource(request, body, response);
    } catch (error) {
      const [status, code] = error instanceof Denied ? [error.status, error.message] : [401, String(error)];
      json(
        response,
        status,
        request.url === '/oauth/token' ? { error: code } : { errors: [{ message: code, extensions: { code: 'UNAUTHENTICATED' } }] },
      );
    }
  }

  async #token(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
    if (this.refuseCredential) throw new Denied(401, 'invalid_client');
    const jkt = await this.#proof(request, response, this.tokenNonce);
    const form = new URLSearchParams(body);
    if (form.get('grant_type') === 'refresh_token') {
      if (form.get('refresh_token') !== this.refreshToken || form.get('client_id') !== 'stint-cli') throw new Denied(400, 'invalid_grant');
      if (this.loseAnswers > 0 && this.loseAnswers--) return void request.socket.destroy();
      this.refreshToken = `refresh-${++this.refreshes}`;
      this.#give(response, jkt, { refresh_token: this.refreshToken });
      return;
    }
    if (form.get('grant_type') !== 'client_credentials') throw new Denied(400, 'unsupported_grant_type');
    const { payload } = await jwtVerify(form.get('client_assertion') ?? '', this.#key, {
      issuer: 'credential-1',
      subject: 'credential-1',
      audience: `${this.url}/oauth`,
      requiredClaims: ['jti', 'exp', 'iat'],
      currentDate: new Date(this.#now() * 1000),
    });
    this.#once(payload);
    this.#give(response, jkt);
  }

  #give(response: ServerResponse, jkt: string, more: object = {}): void {
    const token = `token-${++this.tokensGiven}`;
    this.#tokens.set(token, { jkt, exp: this.#now() + this.tokenSeconds });
    json(response, 200, { access_token: token, token_type: 'DPoP', expires_in: this.tokenSeconds, ...more });
  }

  async #resource(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
    this.requests++;
    const token = /^DPoP (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token !== undefined) {
      const known = this.#tokens.get(token);
      if (!known || known.exp <= this.#now()) throw new Denied(401, 'expired');
      if ((await this.#proof(request, response, this.resourceNonce, token)) !== known.jkt) throw new Denied(401, 'wrong key');
    }
    if (request.url === '/nudge') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
      this.streams.push(response);
      return;
    }
    const answer = this.graphql(JSON.parse(body) as never);
    if (answer.hang) return;
    if (answer.text === undefined) json(response, answer.status ?? 200, answer.body);
    else response.writeHead(answer.status ?? 200, { 'content-type': 'text/html' }).end(answer.text);
  }

  async #proof(request: IncomingMessage, response: ServerResponse, nonce: string | undefined, token?: string): Promise<string> {
    const { payload, protectedHeader } = await jwtVerify(String(request.headers['dpop']), EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['EdDSA'],
      currentDate: new Date(this.#now() * 1000),
    });
    if (Math.abs(Number(payload.iat) - this.#now()) > 60) throw new Denied(401, 'invalid_dpop_proof');
    if (payload['htm'] !== request.method || payload['htu'] !== `${this.url}${request.url}`) throw new Denied(401, 'invalid_dpop_proof');
    if (token !== undefined && payload['ath'] !== createHash('sha256').update(token).digest('base64url'))
      throw new Denied(401, 'invalid_dpop_proof');
    if (nonce !== undefined && payload['nonce'] !== nonce) {
      response.setHeader('dpop-nonce', nonce);
      throw new Denied(token === undefined ? 400 : 401, 'use_dpop_nonce');
    }
    this.#once(payload);
    return calculateJwkThumbprint(protectedHeader.jwk as never);
  }

  #once({ jti }: JWTPayload): void {
    if (jti === undefined || this.#usedIds.has(jti)) throw new Denied(401, 'replay');
    this.#usedIds.add(jti);
  }
}

class Denied extends Error {
  readonly status: number;

  constructor(status: number, code: string) {
    super(code);
    this.status = status;
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
