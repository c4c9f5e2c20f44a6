import { systemClock, type Clock } from '@stint/kernel';
import { Faults, type ArmedFault, type Fault } from './faults/faults.ts';
import { Throttle, type ThrottleLimit } from './faults/throttle.ts';
import type { Exchange } from './http/exchange.ts';
import { GraphServer } from './http/graph-server.ts';
import { Store, type Consistency } from './state/store.ts';
import { EntraTenant } from './tenant/entra-tenant.ts';
import { newTenant, type TenantGiven } from './tenant/new-tenant.ts';

/** How an emulator is started. */
export interface GraphEmulatorOptions {
  /** 0 or left out: any free one. */
  port?: number;
  host?: string;
  /** Where the state is kept before each answer, so that it outlives the process; left out: nowhere. */
  stateFile?: string;
  clock?: Clock;
  /** How late writes are seen; at once when left out. */
  consistency?: Partial<Consistency>;
  /** Resource units per app and tenant; Microsoft's limit of small tenants when left out. */
  throttle?: ThrottleLimit;
  /** Objects on a page where the caller does not say; 100 when left out. */
  pageSize?: number;
  onExchange?: (exchange: Exchange) => void;
}

const exchangesKept = 5000;

/**
 * Microsoft Graph v1.0 and the token endpoint of the Microsoft identity platform, as far as Stint uses them, over HTTP on this
 * machine: with state, permissions, late consistency, throttling, and faults on demand.
 */
export class GraphEmulator {
  /** The newest 5,000 requests, oldest first, parts of batches included. */
  readonly exchanges: Exchange[] = [];
  /** Called after each request. */
  onExchange: ((exchange: Exchange) => void) | null;
  /** Called with each access token that is issued: for tests that look for it where it must not be. */
  onToken: ((accessToken: string) => void) | null = null;
  readonly #store: Store;
  readonly #throttle: Throttle;
  readonly #faults = new Faults();
  readonly #server: GraphServer;

  private constructor(options: GraphEmulatorOptions) {
    const clock = options.clock ?? systemClock;
    this.#store = new Store({
      clock,
      file: options.stateFile ?? null,
      consistency: { seconds: 0, reads: 0, seed: 'stint', ...options.consistency },
    });
    this.#throttle = new Throttle(clock, options.throttle ?? { units: 3500, seconds: 10 });
    this.onExchange = options.onExchange ?? null;
    this.#server = new GraphServer({
      ...{ store: this.#store, throttle: this.#throttle, faults: this.#faults, pageSize: options.pageSize ?? 100 },
      record: (exchange) => this.#keep(exchange),
      issued: (accessToken) => this.onToken?.(accessToken),
    });
  }

  /** Starts one; with a state file that exists it goes on where the last one was. */
  static async start(options: GraphEmulatorOptions = {}): Promise<GraphEmulator> {
    const emulator = new GraphEmulator(options);
    await emulator.#server.listen(options.host ?? '127.0.0.1', options.port ?? 0);
    return emulator;
  }

  async stop(): Promise<void> {
    await this.#server.close();
  }

  /** In place of https://graph.microsoft.com: Graph is below `/v1.0`. */
  get url(): string {
    return this.#server.url;
  }

  /** In place of https://login.microsoftonline.com: `{loginUrl}/{tenantId}/oauth2/v2.0/token`. */
  get loginUrl(): string {
    return `${this.url}/login`;
  }

  /** Makes an Entra tenant. With an id that is there already (from a state file), that one as it is. */
  tenant(given: TenantGiven = {}): EntraTenant {
    const known = this.#store.state.tenants.find(({ id }) => id === given.id);
    if (known !== undefined) return new EntraTenant(this.#store, known);
    const made = newTenant(this.#store.nowIso(), given);
    this.#store.state.tenants.push(made);
    this.#store.save();
    return new EntraTenant(this.#store, made);
  }

  /** Changes how late writes are seen from now on. */
  setConsistency(consistency: Partial<Consistency>): void {
    this.#store.consistency = { ...this.#store.consistency, ...consistency };
  }

  setThrottle(limit: ThrottleLimit): void {
    this.#throttle.limit = limit;
  }

  /** Makes requests fail, answer late or lose their answer. */
  fail(fault: Fault): ArmedFault {
    return this.#faults.arm(fault);
  }

  #keep(exchange: Exchange): void {
    this.exchanges.push(exchange);
    if (this.exchanges.length > exchangesKept) this.exchanges.shift();
    this.onExchange?.(exchange);
  }
}
