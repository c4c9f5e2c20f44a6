import { randomUUID } from 'node:crypto';
import {
  exchangeProblems,
  GraphEmulator,
  type AppRegistration,
  type EntraTenant,
  type GraphEmulatorOptions,
  type TenantGiven,
} from '@stint/graph-emulator';
import { FakeClock } from '@stint/testing';
import { addressesOf } from '../graph/cloud.domain.ts';
import type { EntraDirectory, Urgency } from '../graph/directory.port.ts';
import { graphDirectory } from '../graph/graph.directory.ts';
import { GraphTransport } from '../graph/graph.transport.ts';
import type { NewUser } from '../graph/users.port.ts';
import { everythingNeeded } from './world.ts';

/** The directory port on the Graph emulator, without a service around it. Waiting moves the clock. */
export class GraphWorld {
  /** How long it has waited, in milliseconds, in order. */
  readonly waits: number[] = [];
  readonly #graph: GraphTransport;

  private constructor(
    readonly emulator: GraphEmulator,
    readonly clock: FakeClock,
  ) {
    this.#graph = new GraphTransport({
      ...{ clock: this.clock, chance: () => 1, timeoutMs: 2_000 },
      delay: (ms) => {
        this.waits.push(ms);
        this.clock.advance(ms / 1000);
        return Promise.resolve();
      },
    });
  }

  static async start(options: GraphEmulatorOptions = {}): Promise<GraphWorld> {
    const clock = new FakeClock();
    return new GraphWorld(await GraphEmulator.start({ clock, ...options }), clock);
  }

  /** An Entra tenant, and it as the port shows it to an application with all that Stint needs, unless said otherwise. */
  connected(given: { entra?: TenantGiven; app?: AppRegistration; urgency?: Urgency } = {}): {
    entra: EntraTenant;
    directory: EntraDirectory;
  } {
    const entra = this.emulator.tenant(given.entra);
    const secret = randomUUID();
    const { clientId } = entra.registerApp({ ...everythingNeeded, secrets: [{ value: secret }], ...given.app });
    const caller = {
      ...{ key: secret, entraTenantId: entra.id, clientId, urgency: given.urgency ?? 'HIGH' },
      addresses: addressesOf('GLOBAL', this.emulator.url),
      prove: () => Promise.resolve({ client_secret: secret }),
    };
    return { entra, directory: graphDirectory(this.#graph, caller, this.clock) };
  }

  /** What reached it for this address (from /v1.0 or /login on), parts of batches included. */
  requests(method: string, url: RegExp) {
    return this.emulator.exchanges.filter((exchange) => exchange.method === method && url.test(exchange.url));
  }

  /** Ends it. What was asked must have been as Microsoft describes it. */
  async close(): Promise<void> {
    const problems = exchangeProblems(this.emulator);
    await this.emulator.stop();
    if (problems.length > 0) throw new Error(`Not as Microsoft Graph is described:\n${problems.join('\n')}`);
  }
}

/** A user to be made. */
export function aNewUser(entra: EntraTenant, change: Partial<NewUser> = {}): NewUser {
  const name = `jit-${randomUUID().slice(0, 8)}`;
  return {
    ...{ userPrincipalName: `${name}@${entra.initialDomain}`, mailNickname: name, displayName: 'JIT Anna Berg', marker: 'stint-1' },
    ...{ password: 'Aa1-aaaaaaaaaaaaaaaaaaaa', enabled: false, ...change },
  };
}
