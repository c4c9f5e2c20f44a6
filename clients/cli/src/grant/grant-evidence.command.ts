import type { Command } from 'commander';
import type { Id } from '@stint/kernel';
import { verifyEvidence, type EvidenceVerdict } from '@stint/evidence';
import { id } from '../arguments.ts';
import { CommandRefusal, UsageError } from '../failure.ts';
import { readTextFile, writeNewFile } from '../text-file.ts';
import { GrantEvidenceDocument } from '../generated/operations.ts';
import type { Io } from '../io.ts';
import type { Field } from '../render/table.ts';
import { answered, found, type Act } from '../session.ts';

const longestRecord = 4_000_000;

/** Commands for the record of a grant. */
export function addGrantEvidenceCommands(group: Command, act: Act): void {
  group
    .command('evidence')
    .description('export the record of a grant: what was shown and signed by whom, the rule, beginning and end')
    .argument('<grant>', 'the id', id)
    .option('--out <file>', 'write it to a new file, not to stdout')
    .action(
      act(async ({ io, signedIn, output }, grantId: Id, options: { out?: string }) => {
        const { client } = await signedIn();
        const grant = found((await client.request(GrantEvidenceDocument, { id: grantId })).grant, 'grant');
        const { json, sha256 } = answered(grant.evidence, 'record');
        if (options.out === undefined) {
          // Byte for byte, with --json too: the record is JSON, and its hash is over its bytes.
          io.stdout.write(json);
          output.note(`\nSHA-256 ${sha256}`);
          return;
        }
        await writeNewFile(options.out, json);
        output.thing({ file: options.out, sha256 }, [
          ['file', options.out],
          ['SHA-256', sha256],
        ]);
      }),
    );

  group
    .command('verify')
    .description('verify an exported record, without any server; exit code 1 when it must not be believed')
    .argument('<file>', 'the record, or "-" for stdin')
    .option('--url <url>', 'where the approvals must have been signed: the address of your Stint')
    .action(
      act(async ({ io, output }, file: string, options: { url?: string }) => {
        const json = file === '-' ? await readAll(io) : shortEnough(await readTextFile(file));
        const verdict = await verifyEvidence(json, options.url === undefined ? {} : { origin: originOf(options.url) });
        output.thing(verdict, verdictFields(verdict));
        if (verdict.intact && verdict.proved.length === 0) output.note('No approval in this record is signed.');
        return verdict.intact ? 0 : 1;
      }),
    );
}

function verdictFields(verdict: EvidenceVerdict): Field[] {
  const all = (label: string, sentences: readonly string[], tone?: 'good' | 'warning' | 'bad') =>
    sentences.map((text): Field => [label, tone === undefined ? text : { text, tone }]);
  return [
    ['record', verdict.intact ? { text: 'intact', tone: 'good' } : { text: 'NOT TO BE BELIEVED', tone: 'bad' }],
    ['grant', verdict.grantId ?? ''],
    ['SHA-256', verdict.sha256 ?? ''],
    ...all('wrong', verdict.wrong, 'bad'),
    ...all('proved', verdict.proved, 'good'),
    ...all('not proved', verdict.notProved),
    ...all('worth a look', verdict.noticed, 'warning'),
  ];
}

function originOf(url: string): string {
  if (!URL.canParse(url)) throw new UsageError('--url must be an address such as https://stint.example.com.');
  return new URL(url).origin;
}

async function readAll(io: Io): Promise<string> {
  let text = '';
  for await (const chunk of io.stdin) text = shortEnough(text + String(chunk));
  return text;
}

function shortEnough(text: string): string {
  if (text.length > longestRecord) throw new CommandRefusal('TOO_LONG', 'This is no record of a grant: it is too long.');
  return text;
}
