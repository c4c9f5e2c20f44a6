import type { Command } from 'commander';
import { roles } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, oneOf } from '../arguments.ts';
import { AssignRoleDocument, RemoveRoleDocument, type TechnicianRowFragment } from '../generated/operations.ts';
import { words } from '../render/values.ts';
import type { Act } from '../session.ts';
import { tenantOrHome } from '../tenant/home-tenant.ts';
import { technicianFields } from './technician.command.ts';

/** A role and where it is held. */
export function roleText({ role, tenant }: { role: string; tenant?: { name: string } | null }): string {
  return tenant == null ? words(role) : `${words(role)} in ${tenant.name}`;
}

/** `technician assign-role` and `technician remove-role`. */
export function addRoleCommands(group: Command, act: Act): void {
  group
    .command('assign-role')
    .description('give a technician a role on a tenant and all below it')
    .argument('<technician>', 'the id', id)
    .argument('<role>', roles.map((each) => each.toLowerCase()).join(', '), oneOf(roles))
    .option('--tenant <tenant>', 'where the role counts, with all below; your own tenant by default', id)
    .action(
      act(async ({ signedIn, output }, technicianId: Id, role: (typeof roles)[number], options: { tenant?: Id }) => {
        const { client } = await signedIn();
        const tenantId = await tenantOrHome(client, options.tenant);
        const { assignRole } = await client.request(AssignRoleDocument, { input: { id: newId(), technicianId, tenantId, role } });
        const { __typename, ...technician } = expectType(assignRole, 'Technician');
        output.thing(technician, withRoleIds(technician), 'Role given.');
      }),
    );

  group
    .command('remove-role')
    .description('take a role away, at once')
    .argument('<role assignment>', 'its id, as "technician list --json" shows it', id)
    .action(
      act(async ({ signedIn, output }, roleId: Id) => {
        const { client } = await signedIn();
        const { removeRole } = await client.request(RemoveRoleDocument, { input: { id: roleId } });
        const { __typename, ...technician } = expectType(removeRole, 'Technician');
        output.thing(technician, withRoleIds(technician), 'Role taken away.');
      }),
    );
}

function withRoleIds(technician: TechnicianRowFragment) {
  return [...technicianFields(technician), ...technician.roles.map((held): [string, string] => [held.id, roleText(held)])];
}
