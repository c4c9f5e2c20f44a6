import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { URI, type TOTP } from 'otpauth';
import { DemoEndGrantDocument } from '@stint/embedded';
import { expectType } from '@stint/sdk';
import { eventually } from '@stint/testing';
import { Stint } from './stint.ts';

// After a whole run no secret stands where it must not: every row of every schema, the queue's included, is read as text.
let stint: Stint;
beforeAll(async () => {
  stint = await Stint.start({ processes: false });
});
afterAll(() => stint.stop());

async function wholeDatabase(): Promise<string> {
  const { database } = stint.installation;
  const tables = await database.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')`,
  );
  const texts = await Promise.all(tables.map(({ name }) => database.query<{ row: string }>(`select t::text as row from ${name} t`)));
  return texts.flatMap((rows, index) => rows.map(({ row }) => `${tables[index]?.name}: ${row}`)).join('\n');
}

/** The ways in which a secret could be written down. */
function spellings(secret: Buffer): string[] {
  return [secret.toString('utf8'), secret.toString('hex'), secret.toString('base64'), secret.toString('base64url')].filter((text) =>
    /^[\x20-\x7e]{8,}$/.test(text),
  );
}

test('no seed, link, code or token is in the database or the queue; the test would find one', async () => {
  const terminal = stint.login(['--method', 'qr']);
  const address = await terminal.qrAddress();
  const grantId = await stint.phone.approve(address, await stint.phone.scan(address), 'Printer');
  await terminal.result();
  const atWork = await wholeDatabase();
  expectType((await stint.phone.client.request(DemoEndGrantDocument, { input: { id: grantId } })).endGrant, 'Grant');
  await eventually(async () => expect((await stint.grant(grantId)).state).toBe('ENDED'));
  const text = atWork + (await wholeDatabase());

  const seed = Buffer.from((URI.parse(stint.world.totpUri) as TOTP).secret.buffer);
  const secrets = {
    'TOTP seed': [...spellings(seed), (URI.parse(stint.world.totpUri) as TOTP).secret.base32],
    'QR code': [new URL(address).pathname.split('/').at(-1) ?? ''],
    'private keys': [stint.world.technician, stint.world.administrator].flatMap((person) =>
      person.toJSON().passkeys.map(({ privateKey }) => privateKey.split('\n')[1] ?? ''),
    ),
  };
  for (const [what, spelled] of Object.entries(secrets)) {
    expect(spelled.every((one) => one.length >= 8)).toBe(true);
    expect([what, spelled.filter((one) => text.includes(one))]).toEqual([what, []]);
  }
  // The scanner sees what is there: ids and hashes of the very same things.
  expect(text).toContain(grantId);
  await stint.installation.database.query(`create table jit_policy.canary as select '${seed.toString('hex')}' as leaked`);
  expect(await wholeDatabase()).toContain(seed.toString('hex'));
});

test('the agent keeps no password and no key that others could read', () => {
  const folder = stint.installation.directory.at('demo', 'computer', 'agent');
  for (const name of readdirSync(folder)) {
    const { mode } = statSync(join(folder, name));
    expect([name, mode & 0o077]).toEqual([name, 0]);
    if (statSync(join(folder, name)).isFile() && !name.endsWith('.sock'))
      expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(/\$6\$|password"\s*:\s*"/);
  }
});
