import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { Id } from '@stint/kernel';
import { id, oneOf } from '../arguments.ts';
import { UsageError } from '../failure.ts';
import { ExplainAccessDocument, type ExplainAccessQuery } from '../generated/operations.ts';
import { renderTable } from '../render/table.ts';
import { words } from '../render/values.ts';
import { found, type Act } from '../session.ts';
import { accessFields } from './access-fields.ts';

type Explanation = NonNullable<ExplainAccessQuery['explainAccess']>;
type Considered = Explanation['considered'][number];
const deviceKinds = ['LOCAL_ADMIN', 'DOMAIN_ADMIN'] as const;

interface ExplainOptions {
  kind?: (typeof deviceKinds)[number];
  entraRole?: string;
  tenant?: Id;
  at?: string;
}

/** `explain`: what the access rules say, and why. */
export function addExplainCommand(program: Command, act: Act): void {
  program
    .command('explain')
    .description('what the access rules say about a technician and a computer or an Entra role, and why; changes nothing')
    .argument('<technician>', "the technician's id", id)
    .argument('[device]', "the computer's id", id)
    .option('--kind <kind>', 'local-admin (usual) or domain-admin', oneOf(deviceKinds))
    .option('--entra-role <name>', 'an Entra role instead of a computer; with --tenant', String)
    .option('--tenant <tenant>', 'the tenant of the Entra role', id)
    .option('--at <time>', 'at another time than now, such as 2026-12-24T08:00:00Z', instantOption)
    .action(
      act(async ({ signedIn, output }, technicianId: Id, deviceId: Id | undefined, options: ExplainOptions) => {
        const target = chosenTarget(deviceId, options);
        const { client } = await signedIn();
        const answer = await client.request(ExplainAccessDocument, { technicianId, ...target, ...(options.at && { at: options.at }) });
        const explained = found(answer.explainAccess, 'technician, computer or tenant');
        output.thing(explained, accessFields(explained));
        output.block(`\n${renderTable(columns, explained.considered, output.colours)}`);
      }),
    );
}

function chosenTarget(deviceId: Id | undefined, { kind, entraRole, tenant }: ExplainOptions) {
  if (entraRole === undefined && deviceId !== undefined && tenant === undefined)
    return { deviceId, kind: kind ?? ('LOCAL_ADMIN' as const) };
  if (entraRole !== undefined && deviceId === undefined && tenant !== undefined && kind === undefined)
    return { tenantId: tenant, entraRole, kind: 'ENTRA_ROLE' as const };
  throw new UsageError('Give either a computer, or --entra-role together with --tenant.');
}

function instantOption(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw new InvalidArgumentError('It must be a time such as 2026-12-24T08:00:00Z.');
  return at.toISOString();
}

const columns = [
  { title: 'RULE', show: (rule: Considered) => rule.name },
  { title: 'SET ON', show: (rule: Considered) => rule.tenant?.name ?? '' },
  { title: 'VERDICT', show: (rule: Considered) => words(rule.verdict) },
  { title: 'WHY', show: (rule: Considered) => rule.why },
];
