// The command line as the process that it is.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
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

  test('runs beside others: each uses the session once, and none ends it', async () => {
    here.gateway.on('Tenants', () => ({ tenants: { edges: [], pageInfo: { hasNextPage: false, endCursor: null } } }));
    const runs = await Promise.all(Array.from({ length: 4 }, () => ended(start('tenant', 'list'))));
    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(new Set(here.gateway.refreshed).size).toBe(4);
  });
});
