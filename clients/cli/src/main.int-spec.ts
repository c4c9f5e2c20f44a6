// The command line as the process that it is.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { anId, signedIn, tenantId } from './signed-in.support.ts';

const here = signedIn();

function start(...argv: string[]): ChildProcess {
  const program = [join(import.meta.dirname, 'main.ts'), '--config-dir', here.folder, ...argv];
  return spawn(process.execPath, ['--conditions=@stint/source', '--disable-warning=ExperimentalWarning', ...program], {
    env: { PATH: process.env['PATH'] },
    stdio: 'pipe',
  });
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const told = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (told.stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (told.stderr += String(chunk)));
  child.stdin?.end();
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...told };
}

describe('the process', () => {
  test.each([
    [['--help'], 0],
    [['tenant', 'list', '--profile', 'nobody'], 1],
    [['tenant', 'lst'], 2],
  ])('%j ends with %d', async (argv, code) => {
    expect(await ended(start(...argv))).toMatchObject({ code });
  });

  test('ends with 3 where the gateway is away', async () => {
    await here.gateway.stop();
    expect(await ended(start('tenant', 'list'))).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('ECONNREFUSED') });
  });

  test('ends quietly when nobody reads on', async () => {
    const events = Array.from({ length: 3000 }, (_, index) => ({
      node: {
        id: anId(index),
        sequence: index,
        occurredAt: '2026-11-23T13:18:21.000Z',
        actorKind: 'system',
        actorId: null,
        action: 'login.expired',
        subjectId: anId(1),
        details: '{}',
        hash: 'ab'.repeat(32),
      },
    }));
    here.gateway.on('AuditLog', () => ({ tenant: { auditLog: { edges: events, pageInfo: { hasNextPage: false, endCursor: 'x' } } } }));
    const child = start('audit', 'list', tenantId, '--json');
    child.stdout?.once('data', () => child.stdout?.destroy());
    let stderr = '';
    child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
    const [code] = (await once(child, 'close')) as [number | null];
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test.each([
    ['before the server has taken the key', false],
    ['after the server has taken the key', true],
  ])('killed while it signs in, %s, goes on with the same key', async (_when, taken) => {
    const known = new Set<string>();
    here.gateway.registered = known;
    const technician = { id: anId(2), displayName: 'Anna', email: 'anna@example.com' };
    const credentials: string[] = [];
    const redeem = (input: { credentialId: string }) => {
      credentials.push(input.credentialId);
      known.add(input.credentialId);
      return { redeemInvitation: { __typename: 'SignUp', credentialId: input.credentialId, technician } };
    };
    here.gateway.on('WhoAmI', () => ({
      viewer: {
        kind: 'TECHNICIAN',
        id: anId(2),
        access: [],
        tenant: { id: tenantId, name: 'Contoso' },
        technician: { ...technician, roles: [], totpEnrolled: false, groups: [] },
      },
    }));
    const signIn = ['sign-in', `${here.gateway.url}/join#Zm9vYmFyYmF6cXV4MTIzNA`, '--name', 'Anna', '--profile', 'new'];

    const child = start(...signIn);
    here.gateway.on('RedeemInvitation', async ({ variables }) => {
      const input = variables['input'] as { credentialId: string };
      if (taken) redeem(input);
      else credentials.push(input.credentialId);
      child.kill('SIGKILL');
      await once(child, 'close');
      return {};
    });
    await once(child, 'close');
    expect(await readdir(join(here.folder, 'profiles'))).toEqual(['default.json', 'new.pending.json']);

    here.gateway.on('RedeemInvitation', ({ variables }) => redeem(variables['input'] as { credentialId: string }));
    expect(await ended(start(...signIn))).toMatchObject({ code: 0, stdout: expect.stringContaining('anna@example.com') });
    expect(await readdir(join(here.folder, 'profiles'))).toEqual(['default.json', 'new.json']);
    expect(new Set(credentials).size).toBe(1);
    expect(credentials).toHaveLength(taken ? 1 : 2);
  });
});
