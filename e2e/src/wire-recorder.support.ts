import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands on the way to a server, and keeps every byte that passes, in both directions. */
export class WireRecorder {
  readonly #server: Server;
  readonly #bytes: Buffer[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(target: { host: string; port: number }) {
    this.#server = createServer((client) => {
      const server = connect(target.port, target.host);
      for (const [socket, other] of [
        [client, server],
        [server, client],
      ] as const) {
        this.#sockets.add(socket);
        socket.setNoDelay();
        socket.on('data', (chunk) => void this.#bytes.push(chunk));
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  /** `port` is where it listens; a free one unless told. */
  static async before(target: string, port = 0): Promise<WireRecorder> {
    const { hostname, port: to } = new URL(target);
    const recorder = new WireRecorder({ host: hostname, port: Number(to) });
    // As Node's own servers: for every address that `localhost` may stand for.
    recorder.#server.listen(port);
    await once(recorder.#server, 'listening');
    return recorder;
  }

  /** The same address, through here. */
  through(address: string): string {
    const url = new URL(address);
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return url.href;
  }

  get heard(): Buffer {
    return Buffer.concat(this.#bytes);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
