// How many requests to Microsoft Graph a grant costs from request to removal, and a synchronized person. Counted at the Graph
// emulator, with everything real before it. Run by `npm run benchmark`; `PEOPLE=1000` for a smaller group.
import { setTimeout as delay } from 'node:timers/promises';
import { newId } from '@stint/kernel';
import { startTestPostgres } from '@stint/testing';
import { ask } from './sign-in-world.ts';
import { Stint } from './stint.ts';

const people = Number(process.env['PEOPLE'] ?? 50_000);

const postgres = await startTestPostgres();
process.env['STINT_TEST_POSTGRES'] = postgres.adminUrl;
const stint = await Stint.start({ processes: false, entra: true });
const { administrator, world, installation, entra } = stint;
const { tenantId } = world;

/** How many requests Graph gets during `work`: a batch is one, whatever is in it; tokens do not count. */
async function requestsOf<Result>(work: () => Promise<Result>): Promise<{ requests: number; seconds: number; result: Result }> {
  const seen = () => installation.graph.exchanges.filter(({ batched, url }) => !batched && url.startsWith('/v1.0/'));
  const [before, began] = [new Set(seen()), performance.now()];
  const result = await work();
  const requests = seen().filter((exchange) => !before.has(exchange)).length;
  return { requests, seconds: Math.round((performance.now() - began) / 100) / 10, result };
}

async function until<Value>(what: string, read: () => Promise<Value | null>): Promise<Value> {
  for (const began = performance.now(); performance.now() - began < 600_000; await delay(50)) {
    const value = await read();
    if (value !== null) return value;
  }
  throw new Error(`Waited in vain for ${what}.`);
}

/** What one life of a grant costs: until its credential is there, and from its end until that was seen. */
async function grantLife() {
  const given = await requestsOf(async () => {
    const request = await stint.requestRole();
    await until('the credential', () => request.signIn());
    await until('the role', async () => ((await request.grant()).state === 'ACTIVE' ? true : null));
    return request;
  });
  const taken = await requestsOf(async () => {
    await stint.change('endGrant', { id: given.result.grantId });
    await until('the end', async () => ((await given.result.grant()).state === 'ENDED' ? true : null));
  });
  return { toGive: given.requests, toTake: taken.requests };
}

async function source(): Promise<{ people: number; lastSyncAt: string | null; preview: { id: string; state: string } | null }> {
  const query = 'query ($id: ID!) { tenant(id: $id) { userSource { people lastSyncAt preview { id state } } } }';
  const { tenant } = await ask(administrator, query, { id: tenantId });
  return tenant?.['userSource'] as never;
}

async function synchronization() {
  const members = Array.from({ length: people }, (_, place) => {
    const name = `person${place}`;
    return entra.addUser({ displayName: `Person ${place}`, mail: `${name}@contoso.example` }).id;
  });
  const groupId = entra.addGroup({ displayName: 'Technicians', members }).id;
  const technicianGroupId = newId();
  await stint.change('createGroup', { id: technicianGroupId, tenantId, name: 'From Entra' });
  const dryRun = await requestsOf(async () => {
    const answer = await stint.change('previewUserSource', {
      id: newId(),
      tenantId,
      groups: [{ groupId, technicianGroupId, role: 'TECHNICIAN' }],
    });
    if (answer['__typename'] !== 'UserSourceReading') throw new Error(JSON.stringify(answer));
    return until('the preview', async () => {
      const { preview } = await source();
      return preview?.state === 'WAITING' ? preview.id : null;
    });
  });
  const applied = await requestsOf(async () => {
    await stint.change('applyUserSourceReading', { id: dryRun.result });
    await until('everybody', async () => ((await source()).people === people ? true : null));
  });
  const round = await requestsOf(async () => {
    const { lastSyncAt } = await source();
    await stint.change('syncUserSource', { tenantId });
    await until('the next round', async () => ((await source()).lastSyncAt !== lastSyncAt ? true : null));
  });
  const full = await requestsOf(async () => {
    const { lastSyncAt } = await source();
    await stint.change('syncUserSource', { tenantId, full: true });
    await until('the full round', async () => ((await source()).lastSyncAt !== lastSyncAt ? true : null));
  });
  const shown = ({ requests, seconds }: { requests: number; seconds: number }) => ({ requests, seconds });
  return {
    people,
    ...{ preview: shown(dryRun), apply: shown(applied), roundWithoutChange: shown(round), fullAgain: shown(full) },
    requestsPerPerson: (dryRun.requests + applied.requests) / people,
  };
}

try {
  const result = { benchmark: 'requests to Microsoft Graph', firstGrant: await grantLife(), nextGrant: await grantLife() };
  process.stdout.write(`${JSON.stringify({ ...result, userSource: await synchronization() }, null, 2)}\n`);
} finally {
  await stint.stop();
  await postgres.stop();
}
