import { closeSync, openSync, rmSync, chmodSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { z } from 'zod';

const socketName = 'agent.sock';

/** One JSON-lines connection. */
export interface LineConnection<Out> {
  send(message: Out): void;
  close(): void;
}

export interface LineHandlers<In> {
  message(message: In): void;
  closed(): void;
}

/**
 * Runs `use` with a path to the agent's socket that is short enough: a Unix address has 107 bytes, a folder may be
 * deeper, so it is named through an open handle.
 */
async function withSocketPath<T>(folder: string, use: (path: string) => Promise<T>, name = socketName): Promise<T> {
  const handle = openSync(folder, 'r');
  try {
    return await use(join(`/proc/self/fd/${handle}`, name));
  } finally {
    closeSync(handle);
  }
}

/** Connects to the agent whose state is in `folder`; an error when none runs. */
export function connectToAgent(folder: string): Promise<Socket> {
  return withSocketPath(
    folder,
    (path) =>
      new Promise((resolve, reject) => {
        const socket = connect(path);
        socket.once('connect', () => resolve(socket.off('error', reject)));
        socket.once('error', reject);
      }),
  );
}

/** Listens on the socket in `folder`, readable and writable for its owner alone. Fails when another agent already does. */
export async function listenForTerminals(folder: string, accept: (socket: Socket) => void): Promise<Server> {
  const other = await connectToAgent(folder).catch(() => null);
  if (other) {
    other.destroy();
    throw new Error(`An agent already runs with the state folder ${folder}.`);
  }
  return listenInFolder(folder, socketName, accept);
}

/** Listens on a socket of this name in `folder`, readable and writable for its owner alone; one that was left behind is replaced. */
export async function listenInFolder(folder: string, name: string, accept: (socket: Socket) => void): Promise<Server> {
  rmSync(join(folder, name), { force: true });
  const server = createServer(accept);
  // The folder is 0700 from its making; the mode of the socket itself is the second lock on the same door.
  await withSocketPath(
    folder,
    (path) =>
      new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(path, () => resolve());
      }),
    name,
  );
  chmodSync(join(folder, name), 0o600);
  return server;
}

/** Speaks JSON lines over a socket; a line that does not fit the schema ends the connection. */
export function jsonLines<In, Out>(socket: Socket, schema: z.ZodType<In>, handlers: LineHandlers<In>): LineConnection<Out> {
  const lines = createInterface({ input: socket });
  // readline passes the socket's errors on; unheard, a terminal that is killed would end the agent.
  lines.on('error', () => socket.destroy());
  lines.on('line', (line) => {
    let parsed;
    try {
      parsed = schema.safeParse(JSON.parse(line));
    } catch {
      parsed = { success: false } as const;
    }
    if (parsed.success) handlers.message(parsed.data);
    else socket.destroy();
  });
  socket.on('error', () => socket.destroy());
  socket.once('close', () => handlers.closed());
  return {
    send: (message) => void (socket.writable && socket.write(`${JSON.stringify(message)}\n`)),
    close: () => socket.end(),
  };
}
