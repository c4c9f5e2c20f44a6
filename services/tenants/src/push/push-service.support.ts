import { createDecipheriv, createECDH, hkdfSync, randomBytes, type ECDH } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importJWK, jwtVerify, type JWTPayload } from 'jose';

/** A browser with its keys. */
export interface Browser {
  endpoint: string;
  p256dh: string;
  auth: string;
}

/** What arrived, decrypted. `vapid` is what the sender's proof says, checked with the key that came along. */
export interface Arrived {
  endpoint: string;
  headers: Record<string, string | string[] | undefined>;
  payload: unknown;
  vapid: { publicKey: string; claims: JWTPayload };
}

type Act = (response: ServerResponse) => void;

/** A push service on 127.0.0.1 with its browsers: checks VAPID (RFC 8292) and reads what it gets as the browser would (RFC 8291, 8188). */
export class PushServiceStandIn {
  readonly arrived: Arrived[] = [];
  /** What went wrong with messages that it got. */
  readonly faults: unknown[] = [];
  readonly #acts: Act[] = [];
  readonly #browsers = new Map<string, { ecdh: ECDH; auth: Buffer }>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        void this.#read(`${this.origin}${request.url}`, request.headers, Buffer.concat(parts))
          .then((one) => this.arrived.push(one))
          .catch((error: unknown) => this.faults.push(error))
          .then(() => (this.#acts.shift() ?? ((one) => one.writeHead(201).end()))(response));
      });
    });
  }

  static async start(): Promise<PushServiceStandIn> {
    const service = new PushServiceStandIn();
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Subscribes a new browser. */
  browser(): Browser {
    const ecdh = createECDH('prime256v1');
    ecdh.generateKeys();
    const auth = randomBytes(16);
    const endpoint = `${this.origin}/push/${randomBytes(12).toString('base64url')}`;
    this.#browsers.set(endpoint, { ecdh, auth });
    return { endpoint, p256dh: ecdh.getPublicKey().toString('base64url'), auth: auth.toString('base64url') };
  }

  /** How it answers next, instead of 201. */
  next(...acts: Act[]): void {
    this.#acts.push(...acts);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #read(endpoint: string, headers: Arrived['headers'], body: Buffer): Promise<Arrived> {
    const browser = this.#browsers.get(endpoint);
    if (browser === undefined) throw new Error('Nobody is subscribed here.');
    const [, jwt = '', key = ''] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(String(headers['authorization'])) ?? [];
    const point = Buffer.from(key, 'base64url');
    const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
    const { payload: claims } = await jwtVerify(jwt, await importJWK(jwk, 'ES256'), {
      algorithms: ['ES256'],
      audience: this.origin,
      requiredClaims: ['exp', 'sub'],
    });
    return { endpoint, headers, payload: JSON.parse(opened(browser, body)), vapid: { publicKey: key, claims } };
  }
}

function opened({ ecdh, auth }: { ecdh: ECDH; auth: Buffer }, body: Buffer): string {
  const [salt, idLength] = [body.subarray(0, 16), body.readUInt8(20)];
  const senderKey = body.subarray(21, 21 + idLength);
  const sealed = body.subarray(21 + idLength);
  const derive = (key: Uint8Array, salted: Uint8Array, info: Uint8Array, length: number) =>
    Buffer.from(hkdfSync('sha256', key, salted, info, length));
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), senderKey]);
  const ikm = derive(ecdh.computeSecret(senderKey), auth, info, 32);
  const key = derive(ikm, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = derive(ikm, salt, Buffer.from('Content-Encoding: nonce\0'), 12);
  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAuthTag(sealed.subarray(-16));
  const text = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  return text.subarray(0, text.lastIndexOf(2)).toString();
}
