import type { Command } from 'commander';
import { displayName } from '@stint/contracts';
import { newId, type Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, text } from '../arguments.ts';
import { CreateTenantDocument, RenameTenantDocument, TenantsDocument, type TenantRowFragment } from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import type { Field } from '../render/table.ts';
import { instant } from '../render/values.ts';
import type { Act } from '../session.ts';
import { tenantOrHome } from './home-tenant.ts';

export function addTenantCommands(program: Command, act: Act): void {
  const group = program.command('tenant').description('the MSP and its customers');

  withListOptions(group.command('list').description('list the tenants that you reach, oldest first')).action(
    act(async ({ signedIn, output }, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(rowLimit(options), async (at) => (await client.request(TenantsDocument, at)).tenants);
      const columns = [
        { title: 'ID', show: (tenant: TenantRowFragment) => tenant.id },
        { title: 'NAME', show: (tenant: TenantRowFragment) => tenant.name },
        { title: 'BELOW', show: (tenant: TenantRowFragment) => tenant.parent?.name ?? '' },
        { title: 'MADE', show: (tenant: TenantRowFragment) => instant(tenant.createdAt) },
      ];
      output.list(page, columns, 'You reach no tenant.');
    }),
  );

  group
    .command('create')
    .description('make a customer')
    .argument('<name>', 'its name', text(displayName))
    .option('--parent <tenant>', 'the tenant above it; your own by default', id)
    .action(
      act(async ({ signedIn, output }, name: string, options: { parent?: Id }) => {
        const { client } = await signedIn();
        const parentId = await tenantOrHome(client, options.parent);
        const { createTenant } = await client.request(CreateTenantDocument, { input: { id: newId(), parentId, name } });
        const { __typename, ...tenant } = expectType(createTenant, 'Tenant');
        output.thing(tenant, fields(tenant), 'Tenant made.');
      }),
    );

  group
    .command('rename')
    .description('give a tenant another name')
    .argument('<tenant>', 'its id', id)
    .argument('<name>', 'the new name', text(displayName))
    .action(
      act(async ({ signedIn, output }, tenantId: Id, name: string) => {
        const { client } = await signedIn();
        const { renameTenant } = await client.request(RenameTenantDocument, { input: { id: tenantId, name } });
        const { __typename, ...tenant } = expectType(renameTenant, 'Tenant');
        output.thing(tenant, fields(tenant), 'Tenant renamed.');
      }),
    );
}

function fields(tenant: TenantRowFragment): Field[] {
  return [
    ['id', tenant.id],
    ['name', tenant.name],
    ['below', tenant.parent?.name ?? ''],
  ];
}
