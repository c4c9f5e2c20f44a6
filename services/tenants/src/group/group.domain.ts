import type { Id } from '@stint/kernel';

/** A group of technicians, to which access is given. */
export interface Group {
  mspId: Id;
  tenantId: Id;
  id: Id;
  name: string;
  version: number;
}

export const maxMembers = 1000;
