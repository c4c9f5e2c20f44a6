import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { id } from '../arguments.ts';
import { AuditLogDocument, VerifyAuditLogDocument, type AuditRowFragment } from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import { instant } from '../render/values.ts';
import { found, type Act } from '../session.ts';
import { facts } from './facts.ts';

export function addAuditCommands(program: Command, act: Act): void {
  const group = program.command('audit').description('what was done, by whom');

  withListOptions(
    group.command('list').description('list the audit log of a tenant, newest first').argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(
        rowLimit(options),
        async (at) => found((await client.request(AuditLogDocument, { tenantId, ...at })).tenant, 'tenant').auditLog,
      );
      const columns = [
        { title: '#', show: (event: AuditRowFragment) => String(event.sequence) },
        { title: 'AT', show: (event: AuditRowFragment) => instant(event.occurredAt) },
        { title: 'ACTION', show: (event: AuditRowFragment) => event.action },
        { title: 'BY', show: (event: AuditRowFragment) => [event.actorKind, event.actorId].filter((each) => each !== null).join(' ') },
        { title: 'TO', show: (event: AuditRowFragment) => event.subjectId },
        { title: 'DETAILS', show: (event: AuditRowFragment) => facts(event.details) },
      ];
      output.list(page, columns, 'The audit log of this tenant is empty.');
    }),
  );

  group
    .command('verify')
    .description("recompute the hash chain of a tenant's whole audit log; exit code 1 when it is broken")
    .argument('<tenant>', "the tenant's id", id)
    .action(
      act(async ({ signedIn, output }, tenantId: Id) => {
        const { client } = await signedIn();
        const { verifyAuditLog: result } = found((await client.request(VerifyAuditLogDocument, { tenantId })).tenant, 'tenant');
        output.thing(result, [
          ['log', result.intact ? { text: 'intact', tone: 'good' } : { text: 'BROKEN', tone: 'bad' }],
          ['events', String(result.events)],
          ['first', `#${result.firstSequence}`],
          ['broken at', result.brokenAt === null ? '' : { text: `#${result.brokenAt}`, tone: 'bad' }],
          ['head', result.head ?? ''],
        ]);
        return result.intact ? 0 : 1;
      }),
    );
}
