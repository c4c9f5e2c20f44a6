import type { Command } from 'commander';
import { newId, type Id } from '@stint/kernel';
import { expectType } from '@stint/sdk';
import { id, oneOf, wholeNumber } from '../arguments.ts';
import {
  EnrollmentTokensDocument,
  IssueEnrollmentTokenDocument,
  RevokeEnrollmentTokenDocument,
  type DeviceKind,
  type EnrollmentTokenRowFragment,
} from '../generated/operations.ts';
import { rowLimit, withListOptions, type ListOptions } from '../list-options.ts';
import { readPages } from '../paging.ts';
import type { Cell, Field } from '../render/table.ts';
import { instant, words } from '../render/values.ts';
import { found, type Act } from '../session.ts';

const kind = oneOf<DeviceKind>(['WORKSTATION', 'SERVER', 'DOMAIN_CONTROLLER']);

interface IssueOptions {
  kind: DeviceKind;
  uses: number;
  hours: number;
}

export function addEnrollmentTokenCommands(program: Command, act: Act): void {
  const group = program.command('enrollment-token').description('tokens with which devices enrol');

  withListOptions(
    group
      .command('list')
      .description('list the tokens of a tenant, oldest first; never the tokens themselves')
      .argument('<tenant>', "the tenant's id", id),
  ).action(
    act(async ({ signedIn, output }, tenantId: Id, options: ListOptions) => {
      const { client } = await signedIn();
      const page = await readPages(
        rowLimit(options),
        async (at) => found((await client.request(EnrollmentTokensDocument, { tenantId, ...at })).tenant, 'tenant').enrollmentTokens,
      );
      const columns = [
        { title: 'ID', show: (token: EnrollmentTokenRowFragment) => token.id },
        { title: 'KIND', show: (token: EnrollmentTokenRowFragment) => words(token.kind) },
        { title: 'USES LEFT', show: (token: EnrollmentTokenRowFragment) => String(token.usesLeft) },
        { title: 'ENDS', show: (token: EnrollmentTokenRowFragment) => instant(token.expiresAt) },
        { title: 'REVOKED', show: revoked },
      ];
      output.list(page, columns, 'This tenant has no enrolment tokens.');
    }),
  );

  group
    .command('issue')
    .description('issue a token; it is shown only now')
    .argument('<tenant>', 'the tenant that the devices will belong to', id)
    .option('--kind <kind>', 'workstation, server or domain-controller', kind, 'WORKSTATION')
    .option('--uses <count>', 'how many devices may enrol with it', wholeNumber(1, 10_000), 1)
    .option('--hours <hours>', 'for how long, up to 720 (30 days)', wholeNumber(1, 720), 24)
    .action(
      act(async ({ signedIn, output }, tenantId: Id, options: IssueOptions) => {
        const { client } = await signedIn();
        const input = { id: newId(), tenantId, kind: options.kind, uses: options.uses, lifetimeSeconds: options.hours * 3600 };
        const { issueEnrollmentToken } = await client.request(IssueEnrollmentTokenDocument, { input });
        const { __typename, ...issued } = expectType(issueEnrollmentToken, 'IssuedEnrollmentToken');
        output.thing(issued, [['token', issued.token], ...fields(issued.enrollmentToken)], 'Token issued. It is shown only now.');
      }),
    );

  group
    .command('revoke')
    .description('revoke a token; devices enrolled with it stay')
    .argument('<id>', "the id of the token's row", id)
    .action(
      act(async ({ signedIn, output }, tokenId: Id) => {
        const { client } = await signedIn();
        const { revokeEnrollmentToken } = await client.request(RevokeEnrollmentTokenDocument, { input: { id: tokenId } });
        const { __typename, ...token } = expectType(revokeEnrollmentToken, 'EnrollmentToken');
        output.thing(token, fields(token), 'Token revoked.');
      }),
    );
}

function revoked(token: EnrollmentTokenRowFragment): Cell {
  return token.revoked ? { text: 'yes', tone: 'bad' } : 'no';
}

function fields(token: EnrollmentTokenRowFragment): Field[] {
  return [
    ['id', token.id],
    ['kind', words(token.kind)],
    ['uses left', String(token.usesLeft)],
    ['ends', instant(token.expiresAt)],
    ['revoked', revoked(token)],
  ];
}
