import type { Command } from 'commander';
import { WhoAmIDocument } from '../generated/operations.ts';
import type { Field } from '../render/table.ts';
import { words, yesNo } from '../render/values.ts';
import type { Act } from '../session.ts';
import { roleText } from '../technician/role.command.ts';

export function addWhoAmICommand(program: Command, act: Act): void {
  program
    .command('who-am-i')
    .description('show who this profile is and what it may do')
    .action(
      act(async ({ signedIn, output }) => {
        const { profile, client } = await signedIn();
        const { viewer } = await client.request(WhoAmIDocument);
        const { technician, tenant } = viewer;
        output.thing({ profile: { name: profile.name, url: profile.url }, ...viewer }, [
          ['name', technician?.displayName ?? ''],
          ['email', technician?.email ?? ''],
          ['roles', technician?.roles.map(roleText).join(', ') ?? words(viewer.kind)],
          ['tenant', tenant?.name ?? ''],
          ['tenant id', tenant?.id ?? ''],
          ['groups', technician?.groups.map(({ name }) => name).join(', ') ?? ''],
          ['TOTP', technician ? yesNo(technician.totpEnrolled) : ''],
          ['id', viewer.id],
          ...viewer.access.map(({ tenant: where, permissions }): Field => [`may in ${where?.name ?? '?'}`, permissions.join(', ')]),
          ['profile', profile.name],
          ['signs in to', profile.url],
        ]);
      }),
    );
}
