import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between a service and its PostgreSQL, and cuts all of its connections at a chosen statement. */
export class DatabaseCut {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #left = 0;
  #done = false;
  /** How often it has cut. */
  cuts = 0;

  private constructor(target: URL) {
    this.#server = createServer((client) => this.#join(client, connect(Number(target.port), target.hostname)));
  }

  static async start(databaseUrl: string): Promise<DatabaseCut> {
    const cut = new DatabaseCut(new URL(databaseUrl));
    cut.#server.listen(0, '127.0.0.1');
    await once(cut.#server, 'listening');
    return cut;
  }

  /** The same database, through here. */
  through(databaseUrl: string): string {
    const url = new URL(databaseUrl);
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return url.href;
  }

  /** From here on the `step`-th statement is the last: it does not arrive, or (`done`) it is done and nobody hears of it. */
  at(step: number, done: boolean): void {
    this.#left = step;
    this.#done = done;
  }

  async stop(): Promise<void> {
    this.#cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket, database: Socket): void {
    let isLast = false;
    for (const [socket, other] of [
      [client, database],
      [database, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay();
      // An end, a failure and a cut are one here: both sides go.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    // The driver hands over a statement with all that belongs to it in one piece.
    client.on('data', (statement) => {
      if (this.#left > 0 && --this.#left === 0) {
        if (!this.#done) return this.#cut();
        isLast = true;
      }
      database.write(statement);
    });
    database.on('data', (answer) => {
      if (isLast) return this.#cut();
      client.write(answer);
    });
  }

  #cut(): void {
    this.cuts++;
    this.#left = 0;
    for (const socket of [...this.#sockets]) socket.destroy();
  }
}
