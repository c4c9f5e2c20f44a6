// What holds for every command: paging, output, failures, exit codes.
import { describe, expect, test } from '@jest/globals';
import { hangUp, refuse } from './scripted-gateway.support.ts';
import { anId, signedIn, tenantId } from './signed-in.support.ts';

const here = signedIn();

describe('lists', () => {
  const tenant = (number: number) => ({
    id: anId(number),
    name: `Customer ${number}`,
    createdAt: '2026-11-23T13:18:21.000Z',
    parent: { id: tenantId, name: 'Contoso IT' },
  });
  const pages = (size: number) =>
    here.gateway.on('Tenants', ({ variables }) => {
      const { first, after } = variables as { first: number; after: string | null };
      const start = Number(after ?? 0);
      const end = Math.min(size, start + first);
      return {
        tenants: {
          edges: Array.from({ length: end - start }, (_, index) => ({ node: tenant(start + index) })),
          pageInfo: { hasNextPage: end < size, endCursor: String(end) },
        },
      };
    });

  test('are aligned tables for people', async () => {
    pages(2);
    const { exitCode, stdout, stderr } = await here.stint(['tenant', 'list']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toBe(
      [
        'ID                                    NAME        BELOW       MADE',
        `${anId(0)}  Customer 0  Contoso IT  2026-11-23 13:18:21Z`,
        `${anId(1)}  Customer 1  Contoso IT  2026-11-23 13:18:21Z`,
        '',
      ].join('\n'),
    );
  });

  test.each([
    [[], 100, true, 1],
    [['--limit', '3'], 3, true, 1],
    [['--limit', '150'], 150, true, 2],
    [['--all'], 230, false, 3],
  ])('with %j have %d rows', async (flags, rows, more, requests) => {
    pages(230);
    const { stdout } = await here.stint(['tenant', 'list', '--json', ...flags]);
    const answer = JSON.parse(stdout) as { items: { id: string }[]; more: boolean };
    expect(answer.items.map(({ id }) => id)).toEqual(Array.from({ length: rows }, (_, index) => anId(index)));
    expect(answer.more).toBe(more);
    expect(here.gateway.calls).toHaveLength(requests);
  });

  test('say that there is more, beside the table', async () => {
    pages(230);
    expect(await here.stint(['tenant', 'list'])).toMatchObject({ stderr: expect.stringContaining('--all') });
  });

  test('say what is missing when they are empty', async () => {
    here.gateway.on('Devices', () => ({ tenant: { devices: { edges: [], pageInfo: { hasNextPage: false, endCursor: null } } } }));
    expect(await here.stint(['device', 'list', tenantId])).toMatchObject({
      exitCode: 0,
      stdout: '',
      stderr: expect.stringContaining('enrollment-token issue'),
    });
  });

  test('of a tenant out of reach are not found', async () => {
    here.gateway.on('Devices', () => ({ tenant: null }));
    expect(await here.stint(['device', 'list', tenantId])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('No tenant with this id'),
    });
  });
});

describe('failures', () => {
  test('of usage are told before anything is sent', async () => {
    for (const argv of [
      [],
      ['tenant', 'lst'],
      ['tenant', 'rename', 'not-an-id', 'x'],
      ['tenant', 'create', ' '],
      ['tenant', 'create', 'a\u202eb'],
      ['tenant', 'list', '--limit', '0'],
      ['settings', 'set', tenantId],
      ['settings', 'set', tenantId, 'colour=red'],
      ['enrollment-token', 'issue', tenantId, '--uses', '10001'],
      ['enrollment-token', 'issue', tenantId, '--kind', 'phone'],
      ['technician', 'invite', 'not-an-address'],
      ['technician', 'invite', 'a@example.com', '--role', 'root'],
      ['login', 'show', 'short'],
      ['group', 'members', anId(5), '--add', anId(6), '--none'],
      ['api-client', 'create', tenantId, 'PSA', '--permission', 'grant.read'],
      ['api-client', 'create', tenantId, 'PSA', '--permission', 'everything', '--public-key', 'x'.repeat(43)],
      ['totp', 'confirm', '12345'],
      ['totp', 'confirm'],
      ['rule', 'add', tenantId, 'Night', '--hours', 'mon 8-18'],
      ['rule', 'add', tenantId, 'Night', '--group', anId(5), '--everyone'],
      ['rule', 'change', anId(5)],
      ['rule', 'change', anId(5), '--on', '--off'],
      ['explain', anId(5)],
      ['explain', anId(5), anId(6), '--entra-role', 'Helpdesk Administrator', '--tenant', tenantId],
      ['request', 'deny', anId(5)],
      ['recovery', 'start', anId(5)],
      ['identity-provider', 'set', tenantId, 'https://idp.example'],
      ['tenant', 'list', '--profile', '../x'],
    ]) {
      const people = await here.stint(argv);
      expect([argv, people.exitCode, people.stdout]).toEqual([argv, 2, '']);
      expect(people.stderr).not.toBe('');
      expect(people.stderr).not.toMatch(/\n {4}at /);
      const machines = await here.stint([...argv, '--json']);
      expect([argv, machines.exitCode]).toEqual([argv, 2]);
      if (argv.length > 0) expect(JSON.parse(machines.stderr)).toMatchObject({ error: { type: 'USAGE', message: expect.any(String) } });
    }
    expect(here.gateway.calls).toEqual([]);
  });

  test('of the server are told in its words, with what to do', async () => {
    here.gateway.on('Tenants', () => refuse('FORBIDDEN', 'You need the permission tenant.read for this.'));
    expect(await here.stint(['tenant', 'list'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr:
        'stint: You need the permission tenant.read for this.\nYour role does not allow this; "stint who-am-i" shows what it allows.\n',
    });
    const { stderr } = await here.stint(['tenant', 'list', '--json']);
    expect(JSON.parse(stderr)).toEqual({
      error: { type: 'FORBIDDEN', message: 'You need the permission tenant.read for this.', advice: expect.any(String) },
    });
  });

  test('that are problems keep their type and fields for machines', async () => {
    here.gateway.on('UpdateSettings', () => ({
      updateJitSettings: { __typename: 'InvalidInput', message: 'must be 12 to 127', field: 'passwordLength' },
    }));
    expect(await here.stint(['settings', 'set', tenantId, 'passwordLength=1'])).toMatchObject({
      exitCode: 1,
      stderr: 'stint: passwordLength: must be 12 to 127\n',
    });
    const { stderr } = await here.stint(['settings', 'set', tenantId, 'passwordLength=1', '--json']);
    expect(JSON.parse(stderr)).toEqual({
      error: { type: 'InvalidInput', message: 'passwordLength: must be 12 to 127', field: 'passwordLength' },
    });
  });

  test('of the network end with 3', async () => {
    here.gateway.on('Tenants', () => hangUp);
    expect(await here.stint(['tenant', 'list'])).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('try again') });
    await here.gateway.stop();
    expect(await here.stint(['tenant', 'list'])).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('ECONNREFUSED') });
  });

  test('cannot take over the terminal', async () => {
    here.gateway.on('Tenants', () => refuse('FORBIDDEN', 'No.\u001b]0;owned\u0007\u202e'));
    const { stderr } = await here.stint(['tenant', 'list']);
    expect(stderr).toContain('No.<U+001B>]0;owned<U+0007><U+202E>');
  });
});

describe('colours', () => {
  const audit = () =>
    here.gateway.on('VerifyAuditLog', () => ({
      tenant: { verifyAuditLog: { intact: true, events: 1, brokenAt: null, firstSequence: 1, head: 'ab' } },
    }));

  test.each([
    ['on a terminal', { typed: [], env: { NO_COLOR: '' } }, true],
    ['not with NO_COLOR', { typed: [], env: { NO_COLOR: '1' } }, false],
    ['not on a dumb terminal', { typed: [], env: { NO_COLOR: '', TERM: 'dumb' } }, false],
    ['not in a pipe', { env: { NO_COLOR: '' } }, false],
  ])('are shown %s', async (_where, surroundings, coloured) => {
    audit();
    expect((await here.stint(['audit', 'verify', tenantId], surroundings)).stdout.includes('\u001b[')).toBe(coloured);
  });
});
