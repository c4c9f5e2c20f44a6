import type { Id } from '@stint/kernel';
import { ownedBySource } from '../user-source/source-person.domain.ts';

/** A group of technicians, to which access is given. */
export interface Group {
  mspId: Id;
  tenantId: Id;
  id: Id;
  name: string;
  version: number;
  /** Its members come from the user source. */
  fromSource: boolean;
}

export const maxMembers = 1000;

/** Why a group's members may not be set so, or null: in a group that the source fills, people only take out whom people put in. */
export function refuseMembers(group: Group, change: { added: number; removedOfSource: number }): string | null {
  return group.fromSource && change.added + change.removedOfSource > 0 ? ownedBySource.group : null;
}
