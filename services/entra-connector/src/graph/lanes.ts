import type { Urgency } from './directory.port.ts';

interface Waiting {
  start: () => void;
}

/** Those who wait for one Entra tenant, and how many calls to it are under way. */
interface Lane {
  entraTenantId: string;
  running: number;
  waiting: Record<Urgency, Waiting[]>;
}

/**
 * Who may call Microsoft now. Each Entra tenant has few calls at a time, so that none is throttled for our haste, and tenants take
 * turns, so that a slow or busy one holds up itself alone. Urgent calls go before others and always find one place free of those.
 */
export class Lanes {
  /** Those whose turn was longest ago first. */
  #lanes: Lane[] = [];
  readonly #perTenant: number;
  readonly #inAll: number;
  #running = 0;

  /** `perTenant` is 2 at least. */
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
    const lane = this.#laneOf(entraTenantId);
    return new Promise((resolve) => {
      lane.waiting[urgency].push({ start: resolve });
      this.#startNext();
    });
  }

  #laneOf(entraTenantId: string): Lane {
    const known = this.#lanes.find((lane) => lane.entraTenantId === entraTenantId);
    if (known !== undefined) return known;
    const made: Lane = { entraTenantId, running: 0, waiting: { HIGH: [], LOW: [] } };
    this.#lanes.unshift(made);
    return made;
  }

  #leave(entraTenantId: string): void {
    const lane = this.#laneOf(entraTenantId);
    lane.running -= 1;
    this.#running -= 1;
    this.#startNext();
    this.#lanes = this.#lanes.filter(({ running, waiting }) => running + waiting.HIGH.length + waiting.LOW.length > 0);
  }

  #startNext(): void {
    for (const lane of [...this.#lanes]) {
      if (this.#running >= this.#inAll) return;
      const next = this.#nextOf(lane);
      if (next === undefined) continue;
      lane.running += 1;
      this.#running += 1;
      this.#lanes = [...this.#lanes.filter((one) => one !== lane), lane];
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
