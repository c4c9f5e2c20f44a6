import { InvalidArgumentError } from 'commander';
import { sourceRoles } from '@stint/contracts';
import { guid, id, oneOf } from '../arguments.ts';
import type { UserSourceGroupInput } from '../generated/operations.ts';

const role = oneOf(sourceRoles);

/** Groups as people write them, `<object id>=<technician group>`, and `:<role>` where their people hold one. A repeated option collects them. */
export function sourceGroups(text: string, before: readonly UserSourceGroupInput[] | undefined): UserSourceGroupInput[] {
  const [, groupId, technicianGroupId, held] = /^([^=]+)=([^:]+)(?::(.*))?$/.exec(text.trim()) ?? [];
  if (groupId === undefined || technicianGroupId === undefined)
    throw new InvalidArgumentError('It must look like "<object id in Entra>=<technician group>:<role>"; ":<role>" may be left out.');
  const group = { groupId: guid(groupId), technicianGroupId: id(technicianGroupId), role: held === undefined ? null : role(held) };
  return [...(before ?? []), group];
}
