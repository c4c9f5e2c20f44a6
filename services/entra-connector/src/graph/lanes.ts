import type { Urgency } from './directory.port.ts';

interface Waiting {
  start: () => void;
}

/** Those who wait for one Entra tenant, and how many calls to it are under way. */
interface Lane {
  running: number;
  waiting: Record<Urgency, Waiting[]>;
}

/**
 * Who may call Microsoft now. Each Entra tenant has few calls at a time, so that none is throttled for our haste, and tenants take
 * turns, so that a slow or busy one holds up itself alone. Urgent calls go before others and always find one place free of those.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #perTenant: number;
  readonly #inAll: number;
  #running = 0;

  constructor(limits: { perTenant: number; inAll: number }) {
    this.#perTenant = limits.perTenant;
    this.#inAll = limits.inAll;
  }

  /** Runs `call` when it is its turn. */
  async run<Result>(entraTenantId: string, urgency: Urgency, call: () => Promise<Result>): Promise<Result> {
    await this.#turn(entraTenantId, urgency);
    try {
      return await call();
    } finally {
      this.#leave(entraTenantId);
    }
  }

  #turn(entraTenantId: string, urgency: Urgency): Promise<void> {
    const lane = this.#lanes.get(entraTenantId) ?? { running: 0, waiting: { HIGH: [], LOW: [] } };
    this.#lanes.set(entraTenantId, lane);
    return new Promise((resolve) => {
      lane.waiting[urgency].push({ start: resolve });
      this.#startNext();
    });
  }

  #leave(entraTenantId: string): void {
    const lane = this.#lanes.get(entraTenantId);
    if (lane === undefined) throw new Error('Nobody was there.');
    lane.running -= 1;
    this.#running -= 1;
    if (lane.running === 0 && lane.waiting.HIGH.length + lane.waiting.LOW.length === 0) this.#lanes.delete(entraTenantId);
    this.#startNext();
  }

  #startNext(): void {
    for (const [entraTenantId, lane] of [...this.#lanes]) {
      if (this.#running >= this.#inAll) return;
      const next = this.#nextOf(lane);
      if (next === undefined) continue;
      lane.running += 1;
      this.#running += 1;
      // To the end of the line: the others first, next time.
      this.#lanes.delete(entraTenantId);
      this.#lanes.set(entraTenantId, lane);
      next.start();
    }
  }

  #nextOf(lane: Lane): Waiting | undefined {
    if (lane.running >= this.#perTenant) return undefined;
    const urgent = lane.waiting.HIGH.shift();
    if (urgent !== undefined || lane.running >= this.#perTenant - 1) return urgent;
    return lane.waiting.LOW.shift();
  }
}
