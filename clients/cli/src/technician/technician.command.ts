import type { Command } from 'commander';
import { email, roles, type Role } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, oneOf, text } from '../arguments.ts';
import {
  InviteTechnicianDocument,
  TechniciansDocument,
  UpdateTechnicianDocument,
  type TechnicianRowFragment,
} from '../generated/operations.ts';
import { UsageError } from '../failure.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import type { Cell, Field } from '../render/table.ts';
import { instant, yesNo } from '../render/values.ts';
import { found, type Act } from '../session.ts';
import { tenantOrHome } from '../tenant/home-tenant.ts';
import { addRoleCommands, roleText } from './role.command.ts';

const role = oneOf(roles);

export function addTechnicianCommands(program: Command, act: Act): void {
  const group = program.command('technician').description('the people who may get access');

  withListOptions(group.command('list').description('list the technicians of a tenant, oldest first'))
    .option('--tenant <tenant>', 'the tenant where they live; your own by default', id)
    .action(
      act(async ({ signedIn, output }, options: ListOptions & { tenant?: Id }) => {
        const { client } = await signedIn();
        const tenantId = await tenantOrHome(client, options.tenant);
        const page = await readPages(
          rowLimit(options),
          async (at) => found((await client.request(TechniciansDocument, { tenantId, ...at })).tenant, 'tenant').technicians,
        );
        const columns = [
          { title: 'ID', show: (technician: TechnicianRowFragment) => technician.id },
          { title: 'NAME', show: (technician: TechnicianRowFragment) => technician.displayName },
          { title: 'EMAIL', show: (technician: TechnicianRowFragment) => technician.email },
          { title: 'ROLES', show: (technician: TechnicianRowFragment) => technician.roles.map(roleText).join(', ') },
          { title: 'TOTP', show: (technician: TechnicianRowFragment) => yesNo(technician.totpEnrolled) },
          { title: 'STATE', show: state },
        ];
        output.list(page, columns, 'No technician lives in this tenant.');
      }),
    );

  group
    .command('invite')
    .description('invite somebody by a one-time link')
    .argument('<email>', 'the address; unique in the MSP', text(email))
    .option(
      '--role <role>',
      `${roles.map((each) => each.toLowerCase()).join(', ')} (repeatable; technician by default)`,
      (value: string, before: Role[] | undefined) => [...(before ?? []), role(value)],
    )
    .option('--tenant <tenant>', 'the tenant where the technician will live; your own by default', id)
    .option('--id <technician>', 'somebody who has come from Entra and has not joined yet: their id; roles stay as they are', id)
    .action(
      act(async ({ signedIn, output }, address: string, options: { role?: Role[]; tenant?: Id; id?: Id }) => {
        if (options.id !== undefined && options.role !== undefined)
          throw new UsageError(
            'Who has come from Entra has roles already: leave --role away, and use "technician assign-role" afterwards.',
          );
        const { client } = await signedIn();
        const tenantId = await tenantOrHome(client, options.tenant);
        const held = [...new Set(options.role ?? ['TECHNICIAN' as const])];
        const input = { id: options.id ?? newId(), tenantId, email: address, roles: held };
        const { inviteTechnician } = await client.request(InviteTechnicianDocument, { input });
        const { __typename, ...invitation } = expectType(inviteTechnician, 'Invitation');
        output.thing(
          invitation,
          [['link', invitation.link], ['ends', instant(invitation.expiresAt)], ...technicianFields(invitation.technician)],
          'Invited. Hand the link over on a safe way; it is shown only now and works once, with "stint sign-in <link>".',
        );
      }),
    );

  addRoleCommands(group, act);

  for (const { name, active, description, sentence } of [
    {
      name: 'disable',
      active: false,
      description: 'switch a technician off: nothing works for them any more, at once',
      sentence: 'Technician switched off.',
    },
    { name: 'enable', active: true, description: 'switch a technician on again', sentence: 'Technician switched on.' },
  ]) {
    group
      .command(name)
      .description(description)
      .argument('<technician>', 'the id', id)
      .action(
        act(async ({ signedIn, output }, technicianId: Id) => {
          const { client } = await signedIn();
          const { updateTechnician } = await client.request(UpdateTechnicianDocument, { input: { id: technicianId, active } });
          const { __typename, ...technician } = expectType(updateTechnician, 'Technician');
          output.thing(technician, technicianFields(technician), sentence);
        }),
      );
  }
}

function state(technician: TechnicianRowFragment): Cell {
  if (!technician.active) return { text: 'off', tone: 'bad' };
  return technician.joined ? { text: 'on', tone: 'good' } : { text: 'invited', tone: 'warning' };
}

export function technicianFields(technician: TechnicianRowFragment): Field[] {
  return [
    ['id', technician.id],
    ['name', technician.displayName],
    ['email', technician.email],
    ['roles', technician.roles.map(roleText).join(', ')],
    ['state', state(technician)],
  ];
}
