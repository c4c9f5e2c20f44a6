import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Actor } from '@stint/contracts';
import { TestEntraConnector } from '../testing/test-entra-connector.ts';
import { everythingNeeded, World, type Connected, type Thing } from '../testing/world.ts';

let service: TestEntraConnector;
let world: World;
beforeAll(async () => {
  service = await TestEntraConnector.start();
  world = new World(service);
});
afterAll(() => service.close());

/** A tenant with ids and a secret, to whose application nobody has consented yet. */
const waiting = () => world.connected({ app: { ...everythingNeeded, consented: false } });

async function begin({ administrator, tenant }: Connected): Promise<string> {
  const { url } = await world.mutate(administrator, 'beginEntraConsent', '... on EntraConsent { url }', { tenantId: tenant.tenantId });
  return String(url);
}

/** The administrator says yes (or what the tenant is set to say); what Microsoft sends along when it sends the browser back. */
async function consent(url: string): Promise<{ state: string; entraTenantId: string | null; given: boolean; error: string | null }> {
  const { headers } = await fetch(url, { redirect: 'manual' });
  const back = new URL(headers.get('location') ?? '');
  expect(`${back.origin}${back.pathname}`).toBe('https://stint.example.com/entra/consent');
  const value = (name: string) => back.searchParams.get(name);
  return { state: value('state') ?? '', entraTenantId: value('tenant'), given: value('admin_consent') === 'True', error: value('error') };
}

const finish = (by: Actor, answer: object): Promise<Thing> =>
  world.mutate(by, 'finishEntraConsent', '... on EntraConnection { state consentedAt problems { code } }', answer);

test('an administrator consents on the page of this one tenant, and the connection works', async () => {
  const connected = await waiting();
  const url = await begin(connected);
  expect(url).toContain(`/${connected.entra.id}/v2.0/adminconsent?client_id=${connected.app.clientId}&`);
  const done = await finish(connected.administrator, await consent(url));
  expect(done).toMatchObject({ __typename: 'EntraConnection', state: 'READY', problems: [], consentedAt: expect.any(String) });
  await service.audited('entra-connection.consented', connected.tenant.tenantId);
});

test('what came back counts once', async () => {
  const connected = await waiting();
  const answer = await consent(await begin(connected));
  const both = await Promise.all([finish(connected.administrator, answer), finish(connected.administrator, answer)]);
  expect(both.map(({ __typename }) => __typename).toSorted()).toEqual(['EntraConnection', 'NotFound']);
});

test.each<[string, (connected: Connected) => Actor]>([
  ['another person', ({ administrator }) => ({ ...administrator, id: '01900000-0000-7000-8000-000000000001' })],
  ['the same person in another session', ({ administrator }) => ({ ...administrator, sessionId: 'session-2' }) as Actor],
])('%s cannot finish it', async (_name, other) => {
  const connected = await waiting();
  const answer = await consent(await begin(connected));
  expect(await finish(other(connected), answer)).toMatchObject({ __typename: 'NotFound' });
  expect(await finish(connected.administrator, answer)).toMatchObject({ __typename: 'EntraConnection' });
});

test('a state that nobody gave out, and one of half an hour ago, are not known', async () => {
  const connected = await waiting();
  const answer = await consent(await begin(connected));
  expect(await finish(connected.administrator, { ...answer, state: `${answer.state}x` })).toMatchObject({ __typename: 'NotFound' });
  service.clock.advance(1_801);
  expect(await finish(connected.administrator, answer)).toMatchObject({ __typename: 'NotFound' });
});

test('a no, and a yes of another tenant, are told as such', async () => {
  const connected = await waiting();
  connected.entra.configure({ declinesConsent: true });
  const refused = await finish(connected.administrator, await consent(await begin(connected)));
  expect(refused).toMatchObject({ __typename: 'EntraConsentRefused', message: expect.stringContaining('did not consent') });
  connected.entra.configure({ declinesConsent: false });
  const answer = { ...(await consent(await begin(connected))), entraTenantId: service.graph.tenant().id };
  const foreign = await finish(connected.administrator, answer);
  expect(foreign).toMatchObject({ __typename: 'EntraConsentRefused', message: expect.stringContaining('another Entra tenant') });
});

test('the state is kept as a hash only', async () => {
  const connected = await waiting();
  const { state } = await consent(await begin(connected));
  const rows = await service.rows<{ row: string }>('select c::text as row from entra_consent c where tenant_id = $1', [
    connected.tenant.tenantId,
  ]);
  expect(rows).toHaveLength(1);
  expect(rows[0]?.row).not.toContain(state);
  expect(rows[0]?.row).not.toContain(Buffer.from(state).toString('hex'));
});
