import type { Sweep } from '@stint/messaging';
import { ArtefactRepository } from './artefact.repository.ts';
import { SessionRepository } from './session.repository.ts';

const [sessions, artefacts] = [new SessionRepository(), new ArtefactRepository()];

/** Removes what is over: it is refused from its end on, swept or not. */
export const sessionSweeps: readonly Sweep[] = [
  { name: 'remove ended sessions', everyMs: 60_000, run: (tx, now) => sessions.sweep(tx, now) },
  { name: 'remove ended sign-in artefacts', everyMs: 60_000, run: (tx, now) => artefacts.sweep(tx, now) },
];
