import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '@stint/contracts';
import type { Clock, Id } from '@stint/kernel';
import type { Sweep } from '@stint/messaging';
import { CLOCK } from '../tokens.ts';
import { DeviceRepository } from './device.repository.ts';

/** Collects the check-ins of a second and writes them with one statement. What a crash loses, the next check-in tells again. */
@Injectable()
export class Presence {
  readonly #seen = new Map<Id, { mspId: Id; tenantId: Id; id: Id; at: Date }>();

  constructor(
    private readonly devices: DeviceRepository,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  note(device: Actor): void {
    this.#seen.set(device.id, { mspId: device.mspId, tenantId: device.tenantId, id: device.id, at: this.clock.now() });
  }

  readonly sweep: Sweep = {
    name: 'write presence',
    everyMs: 1_000,
    run: async (tx) => {
      const seen = [...this.#seen.values()];
      this.#seen.clear();
      // In one order for all replicas, so that they never wait for each other in a circle.
      if (seen.length > 0)
        await this.devices.seen(
          tx,
          seen.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
        );
      return 0;
    },
  };
}
