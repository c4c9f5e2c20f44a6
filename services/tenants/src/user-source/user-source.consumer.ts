import type { Handlers, Sweep } from '@stint/messaging';
import { SourcePersonRepository } from './source-person.repository.ts';
import type { SourceTechnicianService } from './source-technician.service.ts';

/** What services/entra-connector tells of user sources. */
export function userSourceHandlers(
  technicians: SourceTechnicianService,
): Pick<Handlers, 'source-technician-changed' | 'user-source-changed'> {
  return {
    'source-technician-changed': (tx, message) => technicians.told(tx, message),
    'user-source-changed': (tx, message) => technicians.sourceTold(tx, message),
  };
}

const mostAtOnce = 50;

/** Tries again what stood in somebody's way: an address is free by now, a group has arrived, there is another administrator. */
export function sourceConflictSweep(technicians: SourceTechnicianService): Sweep {
  const people = new SourcePersonRepository();
  return {
    name: 'people of user sources in conflict',
    everyMs: 5_000,
    async run(tx, now) {
      const due = await people.due(tx, now, mostAtOnce);
      for (const { mspId, id } of due) {
        // One before may have settled this one along the way.
        const person = await people.lock(tx, mspId, id);
        if (person?.conflict != null) await technicians.settle(tx, person);
      }
      return due.length;
    },
  };
}
