import type { Command } from 'commander';
import { reason } from '@stint/contracts';
import type { Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, text } from '../arguments.ts';
import {
  AccessRequestDocument,
  AccessRequestsDocument,
  DenyAccessDocument,
  type AccessRequestRowFragment,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import type { Cell, Field } from '../render/table.ts';
import { duration, instant, words } from '../render/values.ts';
import { found, type Act } from '../session.ts';

/** `request …`: logins and access in Entra that need the yes of other people. */
export function addRequestCommands(program: Command, act: Act): void {
  const group = program.command('request').description('access that waits for the yes of other people');

  withListOptions(
    group.command('list').description("list a tenant's requests, newest first").argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(rowLimit(options), async (at) => {
        const { accessRequests } = found((await client.request(AccessRequestsDocument, { tenantId, ...at })).tenant, 'tenant');
        return found(accessRequests, 'access requests');
      });
      const columns = [
        { title: 'ID', show: (request: AccessRequestRowFragment) => request.id },
        { title: 'STATE', show: state },
        { title: 'WHO', show: (request: AccessRequestRowFragment) => request.requester?.displayName ?? '' },
        { title: 'WHERE', show: where },
        { title: 'APPROVALS', show: approvals },
        { title: 'ASKED', show: (request: AccessRequestRowFragment) => instant(request.requestedAt) },
      ];
      output.list(page, columns, 'Nobody has asked for an approval here.');
    }),
  );

  group
    .command('show')
    .description('show a request, and where to approve it with your passkey')
    .argument('<request>', 'the id', id)
    .action(
      act(async ({ signedIn, output }, requestId: Id) => {
        const { client, profile } = await signedIn();
        const request = found((await client.request(AccessRequestDocument, { id: requestId })).accessRequest, 'access request');
        const approveAt = `${profile.url}/app`;
        output.thing({ ...request, approveAt }, [...fields(request), ['approve at', request.state === 'PENDING' ? approveAt : '']]);
      }),
    );

  group
    .command('deny')
    .description('refuse a request for good: one no is enough')
    .argument('<request>', 'the id', id)
    .requiredOption('--reason <text>', 'why: the technician is told', text(reason))
    .action(
      act(async ({ signedIn, output }, requestId: Id, options: { reason: string }) => {
        const { client } = await signedIn();
        const { denyAccess } = await client.request(DenyAccessDocument, { input: { id: requestId, reason: options.reason } });
        const { __typename, ...request } = expectType(denyAccess, 'AccessRequest');
        output.thing(request, fields(request), 'Denied.');
      }),
    );
}

function approvals({ approvals: given, needed }: AccessRequestRowFragment): string {
  return `${given.length} of ${needed}`;
}

function state(request: AccessRequestRowFragment): Cell {
  const tone = { PENDING: 'warning', APPROVED: 'good', DENIED: 'bad', EXPIRED: 'quiet', CANCELLED: 'quiet' } as const;
  return { text: words(request.state), tone: tone[request.state] };
}

function where({ entra, device }: AccessRequestRowFragment): string {
  if (entra === null) return device?.hostName ?? '';
  return entra.scope === '/' ? `Entra: ${entra.roleName}` : `Entra: ${entra.roleName} for ${entra.scope}`;
}

function fields(request: AccessRequestRowFragment): Field[] {
  return [
    ['id', request.id],
    ['state', state(request)],
    ['who', request.requester == null ? '' : `${request.requester.displayName} <${request.requester.email}>`],
    ['where', where(request)],
    ['customer', request.tenant?.name ?? ''],
    ['reason', request.reason ?? ''],
    ['ticket', request.ticket ?? ''],
    ['for', duration(request.sessionSeconds)],
    ['rule', request.ruleName],
    ['approvals', approvals(request)],
    ['approved by', request.approvals.map(({ approver }) => approver?.displayName ?? '?').join(', ')],
    ['approvers', request.approverGroup?.name ?? 'whoever may approve'],
    ['waits until', instant(request.expiresAt)],
    ['ended', request.endedWhy ?? ''],
  ];
}
