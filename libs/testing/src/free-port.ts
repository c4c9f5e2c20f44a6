import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

// Below what systems hand out by themselves (Linux: from 32768): a port from there may be taken by any outgoing
// connection, or by another test's own server, between the moment it is found free and the moment it is used.
const FIRST = 10_000;
const BEYOND = 32_000;

/** A TCP port of 127.0.0.1 that is free, for a server which is about to start. Chosen at random, as tests run side by side. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, BEYOND);
    const probe = createServer().listen(port, '127.0.0.1');
    const free = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    if (!free) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
