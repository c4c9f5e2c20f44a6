// How long it takes from “end everything of this technician” until the computer's own files say that the account is off. Every
// service and the agent is a process of its own. Run by `npm run benchmark`; a figure, not a test, because machines differ.

import { startTestPostgres } from '@stint/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { ask } from './sign-in-world.ts';
import { Stint } from './stint.ts';

const rounds = 30;
const goalMs = 2_000;
const mutation = `mutation ($input: EndAllOfTechnicianInput!) { answer: endAllOfTechnician(input: $input) { __typename ... on EndedAll { grants { id } } } }`;

interface Round {
  answered: number;
  off: number;
}

async function round(stint: Stint): Promise<Round> {
  const terminal = stint.login(['--method', 'qr']);
  const address = await terminal.qrAddress();
  await stint.phone.approve(address, await stint.phone.scan(address), 'Benchmark');
  const { account } = await terminal.result();
  const began = performance.now();
  const input = { technicianId: stint.world.technician.technicianId, reason: 'Benchmark' };
  const answered = ask(stint.administrator, mutation, { input }).then(({ answer }) => {
    if ((answer?.['grants'] as unknown[] | undefined)?.length !== 1) throw new Error(`Not one grant ended: ${JSON.stringify(answer)}`);
    return performance.now() - began;
  });
  while (stint.account(account) === 'enabled') {
    if (performance.now() - began > 60_000) throw new Error('The account does not go off.');
    await delay(2);
  }
  const off = performance.now() - began;
  return { answered: await answered, off };
}

function figures(values: readonly number[]): Record<'p50' | 'p95' | 'max', number> {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}

const postgres = await startTestPostgres();
process.env['STINT_TEST_POSTGRES'] = postgres.adminUrl;
const stint = await Stint.start({ processes: true });
try {
  await round(stint);
  const measured: Round[] = [];
  while (measured.length < rounds) measured.push(await round(stint));
  const result = {
    benchmark: 'endAllOfTechnician, one computer online',
    rounds,
    answeredMs: figures(measured.map(({ answered }) => answered)),
    accountOffMs: figures(measured.map(({ off }) => off)),
    goalMs,
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  process.exitCode = result.accountOffMs.max < goalMs ? 0 : 1;
} finally {
  await stint.stop();
  await postgres.stop();
}
