import { readFileSync } from 'node:fs';
import { userNamespacesWork } from '@stint/agent';
import { expectType } from '@stint/sdk';
import { LoginAtComputer } from './computer-terminal.ts';
import { readConfig } from './config.ts';
import { DataDirectory } from './data-directory.ts';
import { computerFolders, runAgent } from './demo-computer.ts';
import { accessInEntra } from './demo-entra.ts';
import { DemoAuditDocument, DemoEndGrantDocument, DemoGrantDocument } from './generated/operations.ts';
import { Person } from './person.ts';
import { Phone } from './phone.ts';
import { expect, say, seen, step, until } from './stage.ts';
import { readWorld, type DemoWorld } from './world.ts';

// A whole just-in-time login by QR, one by TOTP, and a role in Entra, against the Stint that `npm start` runs. Each step is looked at
// where it happens; the first thing that is not as promised ends the demo with exit code 1.

const directory = new DataDirectory(readConfig().dataDirectory);
const { state, root } = computerFolders(directory);

try {
  const world = await readWorld(directory);
  if (world === null) throw new Error('Stint is not running here yet. Start it in another terminal: npm start');
  const namespaces = await userNamespacesWork();
  if (!namespaces.works) throw new Error(namespaces.wayOut);
  const technician = await Person.signIn(world.url, world.technician);
  const phone = new Phone(technician, world.totpUri);
  const grants = [await loginByQr(phone), await loginByTotp(world, phone), await accessInEntra(world, technician)];
  await proof(world, grants);
  say('\nEverything was seen.');
} catch (error) {
  process.stderr.write(`\n✗ ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function loginByQr(phone: Phone): Promise<string> {
  say('Login by QR');
  step('Anna stands at the computer and asks for access: stint-agent login');
  const terminal = new LoginAtComputer({ state, root, args: ['--method', 'qr'] });
  const address = await terminal.qrAddress();
  const number = await terminal.shownNumber();
  say(terminal.screen());
  step('She scans the code with her phone');
  const shown = await phone.scan(address);
  seen(`the phone shows ${shown.tenantName}, ${shown.hostName}, ${shown.sessionSeconds / 60} minutes, number ${shown.shownNumber}`);
  expect(shown.shownNumber === number, 'the phone and the computer show the same number');
  step('She approves with the passkey on her phone, which signs exactly what she was shown');
  const grantId = await phone.approve(address, shown, 'Printer does not print');
  const active = await terminal.result();
  await accountIsThere(active);
  step('She ends the access from her phone');
  const ended = await phone.client.request(DemoEndGrantDocument, { input: { id: grantId } });
  expectType(ended.endGrant, 'Grant');
  await accountIsClosed(active.account);
  await grantHasEnded(phone, grantId, 'REVOKED');
  return grantId;
}

async function loginByTotp(world: DemoWorld, phone: Phone): Promise<string> {
  say('\nLogin by TOTP');
  step('Anna types her email address and the code from her authenticator app');
  let active = await typeCode(world, phone);
  if (active === null) {
    say('  This code was used before; a code works once. Waiting for the next one …');
    const used = phone.totpCode();
    await until('the next code', () => phone.totpCode() !== used, 31_000);
    active = await typeCode(world, phone);
  }
  if (active === null) throw new Error('The computer did not accept a fresh code.');
  seen('the code was accepted');
  await accountIsThere(active);
  step('She logs off at the computer');
  await runAgent(['logoff', active.account, '--state', state, '--root', root]);
  await accountIsClosed(active.account);
  await grantHasEnded(phone, active.grantId, 'LOGGED_OFF');
  return active.grantId;
}

/** Null when the code was refused. */
async function typeCode(world: DemoWorld, phone: Phone): Promise<Active | null> {
  const terminal = new LoginAtComputer({ state, root, args: ['--method', 'totp', '--email', world.technician.email] });
  terminal.type(phone.totpCode());
  return terminal.result().catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('REFUSED')) return null;
    throw error;
  });
}

type Active = Awaited<ReturnType<LoginAtComputer['result']>>;

async function accountIsThere(active: Active): Promise<void> {
  step("The computer's own files, as they are now");
  const [name, hash = ''] = entry('shadow', active.account) ?? [];
  expect(name === active.account, `/etc/shadow has ${active.account}:${hash.slice(0, 6)}…`);
  expect(/^\$/.test(hash), 'the account is unlocked');
  expect(active.passwordVerified === true, 'the password that was set is valid (checked with crypt against /etc/shadow)');
  expect(isAdministrator(active.account), 'the account is an administrator');
}

async function accountIsClosed(account: string): Promise<void> {
  await until(`the end of ${account}`, () => !(entry('shadow', account)?.[1] ?? '!').startsWith('$') && !isAdministrator(account));
  seen(`/etc/shadow has ${account}:${entry('shadow', account)?.[1]?.slice(0, 4) ?? '(no entry)'}… : locked`);
  seen('the account is no administrator any more');
}

async function grantHasEnded({ client }: Phone, id: string, reason: string): Promise<void> {
  const grant = async () => (await client.request(DemoGrantDocument, { id })).grant;
  await until('the grant to end', async () => (await grant())?.state === 'ENDED');
  const { endReason, accountName } = (await grant()) ?? {};
  expect(endReason === reason, `the grant for ${accountName ?? '?'} has ENDED (${endReason ?? '?'}): the agent read the account back`);
}

async function proof(world: DemoWorld, grants: string[]): Promise<void> {
  step('The administrator reads the audit log');
  const { client } = await Person.signIn(world.url, world.administrator);
  const read = async () => (await client.request(DemoAuditDocument, { tenantId: world.tenantId })).tenant;
  const ends = async () => (await read())?.auditLog.edges.filter(({ node }) => node.action === 'grant.ended') ?? [];
  await until('each end in the audit log', async () => {
    const ended = (await ends()).map(({ node }) => node.subjectId);
    return grants.every((id) => ended.includes(id));
  });
  const tenant = await read();
  for (const { node } of tenant?.auditLog.edges.slice(0, 24).toReversed() ?? [])
    say(`    ${String(node.sequence).padStart(3)}  ${node.occurredAt}  ${node.actorKind.padEnd(10)} ${node.action}`);
  const verification = tenant?.verifyAuditLog;
  expect(verification?.intact === true, `the chain of ${verification?.events ?? 0} events is intact`);
}

/** The fields of an account's line in one of the private root's account files. */
function entry(file: 'shadow' | 'group', name: string): string[] | undefined {
  return readFileSync(`${root}/etc/${file}`, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([first]) => first === name);
}

function isAdministrator(account: string): boolean {
  return ['sudo', 'wheel'].some((group) => entry('group', group)?.[3]?.split(',').includes(account) === true);
}
