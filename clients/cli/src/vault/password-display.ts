import { toString as drawQr } from 'qrcode';
import type { OpenedCandidate } from '@stint/crypto';
import type { ExitCode } from '../failure.ts';
import type { LapsAccountRowFragment, SealedPasswordFragment } from '../generated/operations.ts';
import type { Output } from '../output.ts';
import { renderFields, renderTable, type Cell } from '../render/table.ts';
import { visible } from '../render/text.ts';
import { instant } from '../render/values.ts';
import { accountPlace, stateCell } from './laps-account-fields.ts';
import { phonetic } from './phonetic.ts';

/** In which further forms passwords are shown. */
export interface Display {
  phonetic?: boolean;
  qr?: boolean;
}
type Opened = OpenedCandidate<SealedPasswordFragment>;

/** Characters of a spelled password on one line. */
const spelledOnALine = 6;
export const certainties: Readonly<Record<SealedPasswordFragment['certainty'], Exclude<Cell, string>>> = {
  CONFIRMED: { text: 'confirmed', tone: 'good' },
  CANDIDATE: { text: 'candidate', tone: 'warning' },
  FORMER: { text: 'former', tone: 'quiet' },
};

/** Shows passwords on stdout, nowhere else; exit code 1 when one of them could not be opened. */
export async function showPasswords(
  output: Output,
  account: LapsAccountRowFragment,
  candidates: readonly Opened[],
  display: Display,
): Promise<ExitCode> {
  const closed = candidates.filter(({ password }) => password === null).length;
  if (output.json) output.thing({ account, candidates: candidates.map((one) => forMachines(one, display)) }, []);
  else await forPeople(output, account, candidates, display);
  if (closed > 0)
    output.note(`${closed} of them did not come sealed for you and this account, and cannot be shown. Tell an administrator.`);
  return closed === 0 ? 0 : 1;
}

function forMachines(one: Opened, display: Display): object {
  return display.phonetic === true && one.password !== null ? { ...one, phonetic: phonetic(one.password) } : one;
}

async function forPeople(output: Output, account: LapsAccountRowFragment, candidates: readonly Opened[], display: Display): Promise<void> {
  const place = renderFields(
    [
      ...accountPlace(account),
      ['state', stateCell(account)],
      ['yours until', account.checkedOutUntil === null ? '' : instant(account.checkedOutUntil)],
      ['next change', instant(account.dueAt)],
    ],
    output.colours,
  );
  const columns = [
    { title: 'PASSWORD', show: ({ password }: Opened): Cell => password ?? { text: 'not readable', tone: 'bad' } },
    { title: 'HOW SURE', show: ({ certainty }: Opened) => certainties[certainty] },
    { title: 'MADE', show: ({ escrowedAt }: Opened) => instant(escrowedAt) },
    { title: 'READ BACK', show: ({ confirmedAt }: Opened) => instant(confirmedAt) || 'never' },
  ];
  output.block(`${place}\n${renderTable(columns, candidates, output.colours)}`);
  await showForms(output, '', candidates, display);
  if (candidates.filter(({ certainty }) => certainty !== 'FORMER').length > 1 || account.state === 'UNSURE')
    output.note('A change was cut short or is under way: try them from the top.');
}

/** Passwords in the further forms that were asked for, each under `title` and how sure it is. */
export async function showForms(
  output: Output,
  title: string,
  candidates: readonly { certainty: SealedPasswordFragment['certainty']; password: string | null }[],
  display: Display,
): Promise<void> {
  for (const { password, certainty } of candidates) {
    if (password === null) continue;
    const name = `${visible(title)}${certainties[certainty].text}`;
    if (display.phonetic === true) output.block(`\n${name}, spelled:\n${spelled(password)}`);
    if (display.qr === true) output.block(`\n${name}:\n${await qr(password, output.colours)}`);
  }
  if (candidates.some(({ password }) => password !== null && visible(password) !== password))
    output.note('A password has characters that a terminal does not show as they are: with --json it stands exactly.');
}

function spelled(password: string): string {
  const said = phonetic(password);
  const lines = Array.from({ length: Math.ceil(said.length / spelledOnALine) }, (_, line) =>
    said.slice(line * spelledOnALine, (line + 1) * spelledOnALine).join(', '),
  );
  return lines.map((line) => `  ${line}\n`).join('');
}

function qr(password: string, colours: boolean): Promise<string> {
  return drawQr(password, { type: colours ? 'terminal' : 'utf8', small: true, errorCorrectionLevel: 'L' });
}
