import type { ExitCode } from '../failure.ts';
import type { EntraConnectionShownFragment } from '../generated/operations.ts';
import type { Output } from '../output.ts';
import { renderTable, type Cell, type Field, type Tone } from '../render/table.ts';
import { instant, words } from '../render/values.ts';

type Connection = EntraConnectionShownFragment;

const tones: Readonly<Record<Connection['state'], Tone>> = {
  SETUP: 'warning',
  READY: 'good',
  BROKEN: 'bad',
  DISCONNECTING: 'warning',
  DISCONNECTED: 'quiet',
};

/** Shows a connection: where it stands, what is wrong with what to do about it, and the next step of its setup. */
export function showConnection(output: Output, connection: Connection, sentence?: string): void {
  output.thing(connection, connectionFields(connection), sentence);
  for (const { blocking, message, nextStep } of connection.problems)
    output.block(`\n${blocking ? 'Blocks' : 'To know'}: ${message}\n  ${nextStep}`);
  if (connection.credentials.length > 0) output.block(`\n${renderTable(credentialColumns, connection.credentials, output.colours)}`);
  const next = connection.steps.find(({ done }) => !done);
  if (next !== undefined && connection.state === 'SETUP') output.note(`Next: ${next.title}. ${next.instructions}`);
}

/** 1 where no access can be given. */
export function exitCodeOf({ usable }: Connection): ExitCode {
  return usable ? 0 : 1;
}

function connectionFields(connection: Connection): Field[] {
  const missing = connection.permissions.filter(({ granted }) => granted === false).map(({ name }) => name);
  return [
    ['state', { text: words(connection.state), tone: tones[connection.state] }],
    ['Entra tenant', connection.entraTenantName ?? ''],
    ['Entra tenant id', connection.entraTenantId],
    ['application id', connection.clientId],
    ['cloud', words(connection.cloud)],
    ['domains', connection.domains.map(({ name, managed }) => (managed ? name : `${name} (federated)`)).join(', ')],
    ['roles end by themselves', known(connection.rolesCanEnd, { true: 'yes', false: 'no, Stint ends them' })],
    ['passes for', connection.passesFor === null ? '' : words(connection.passesFor)],
    ['not granted', missing.join(', ')],
    ['consented', instant(connection.consentedAt)],
    ['verified', instant(connection.verifiedAt)],
    ['of Stint there', connection.remaining === 0 ? '' : `${connection.remaining} grants and accounts`],
  ];
}

function known(value: boolean | null, text: { true: string; false: string }): Cell {
  return value === null ? '' : value ? text.true : text.false;
}

const credentialColumns = [
  { title: 'CREDENTIAL', show: (one: Connection['credentials'][number]) => one.id },
  { title: 'KIND', show: (one: Connection['credentials'][number]) => words(one.kind) },
  { title: 'STATE', show: (one: Connection['credentials'][number]) => words(one.state) },
  { title: 'ENDS', show: (one: Connection['credentials'][number]) => `${instant(one.endsAt)} (${one.daysLeft} d)` },
  { title: 'THUMBPRINT', show: (one: Connection['credentials'][number]) => one.thumbprint ?? '' },
];
