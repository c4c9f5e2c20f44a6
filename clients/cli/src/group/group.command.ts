import type { Command } from 'commander';
import { displayName } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, ids, text } from '../arguments.ts';
import { UsageError } from '../failure.ts';
import {
  CreateGroupDocument,
  GroupMembersDocument,
  GroupsDocument,
  SetGroupMembersDocument,
  type GroupRowFragment,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import type { Output } from '../output.ts';
import { readPages } from '../paging.ts';
import { found, type Act } from '../session.ts';
import { tenantOrHome } from '../tenant/home-tenant.ts';

interface MemberChange {
  add?: Id[];
  remove?: Id[];
  only?: Id[];
  none?: boolean;
}

export function addGroupCommands(program: Command, act: Act): void {
  const group = program.command('group').description('groups of technicians, to which access is given');

  withListOptions(group.command('list').description('list the groups of a tenant, oldest first'))
    .option('--tenant <tenant>', 'the tenant; your own by default', id)
    .action(
      act(async ({ signedIn, output }, options: ListOptions & { tenant?: Id }) => {
        const { client } = await signedIn();
        const tenantId = await tenantOrHome(client, options.tenant);
        const page = await readPages(
          rowLimit(options),
          async (at) => found((await client.request(GroupsDocument, { tenantId, ...at })).tenant, 'tenant').groups,
        );
        const columns = [
          { title: 'ID', show: (each: GroupRowFragment) => each.id },
          { title: 'NAME', show: (each: GroupRowFragment) => each.name },
          { title: 'MEMBERS', show: (each: GroupRowFragment) => String(each.members.length) },
        ];
        output.list(page, columns, 'This tenant has no groups.');
      }),
    );

  group
    .command('create')
    .description('make a group')
    .argument('<name>', 'its name; unique in the tenant', text(displayName))
    .option('--tenant <tenant>', 'the tenant that it belongs to; your own by default', id)
    .action(
      act(async ({ signedIn, output }, name: string, options: { tenant?: Id }) => {
        const { client } = await signedIn();
        const tenantId = await tenantOrHome(client, options.tenant);
        const { createGroup } = await client.request(CreateGroupDocument, { input: { id: newId(), tenantId, name } });
        const { __typename, ...made } = expectType(createGroup, 'Group');
        print(output, made, 'Group made.');
      }),
    );

  group
    .command('members')
    .description('show, or change, who is in a group')
    .argument('<group>', "the group's id", id)
    .option('--add <technician...>', 'put technicians in', ids)
    .option('--remove <technician...>', 'take technicians out', ids)
    .option('--only <technician...>', 'exactly these technicians, and nobody else', ids)
    .option('--none', 'take everybody out')
    .action(
      act(async ({ signedIn, output }, groupId: Id, change: MemberChange) => {
        checkChange(change);
        const { client } = await signedIn();
        const present = found((await client.request(GroupMembersDocument, { id: groupId })).group, 'group');
        const wanted = changedMembers(
          present.members.map((member) => member.id),
          change,
        );
        if (wanted === null) return print(output, present);
        const { setGroupMembers } = await client.request(SetGroupMembersDocument, { input: { groupId, technicianIds: wanted } });
        const { __typename, ...changed } = expectType(setGroupMembers, 'Group');
        print(output, changed, 'Members set.');
      }),
    );
}

/** The members after a change; null when nothing is to change. */
export function changedMembers(present: readonly Id[], { add, remove, only, none }: MemberChange): Id[] | null {
  if (none === true) return [];
  if (only !== undefined) return [...new Set(only)];
  if (add === undefined && remove === undefined) return null;
  return [...new Set([...present, ...(add ?? [])])].filter((member) => !remove?.includes(member));
}

function checkChange({ add, remove, only, none }: MemberChange): void {
  const ways = [add ?? remove, only, none].filter((way) => way !== undefined);
  if (ways.length > 1) throw new UsageError('Give either --add and --remove, or --only, or --none.');
  const both = add?.find((member) => remove?.includes(member));
  if (both !== undefined) throw new UsageError(`${both} cannot be put in and taken out at once.`);
}

function print(output: Output, group: GroupRowFragment, sentence?: string): void {
  const members = group.members.map((member, index) => [index === 0 ? 'members' : ' ', `${member.id}  ${member.email}`] as const);
  output.thing(
    group,
    [['id', group.id], ['name', group.name], ...(members.length > 0 ? members : [['members', 'nobody'] as const])],
    sentence,
  );
}
