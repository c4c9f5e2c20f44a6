// What lets Stint or a technician into a customer's Entra tenant, on its whole way, with every wire recorded and every log at its most
// talkative: the secrets are known in the end, from Microsoft's side or opened by whoever may, and stand nowhere.
import { createPrivateKey, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openKeyProvider } from '@stint/crypto';
import {
  DemoEndGrantDocument,
  EntraRequest,
  entraOffer,
  entraRole,
  seedWithEntra,
  type ConnectedEntra,
  type Seeded,
} from '@stint/embedded';
import { eventually } from '@stint/testing';
import { found } from './secret-scan.ts';
import { ask } from './sign-in-world.ts';
import { TappedInstallation } from './tapped-installation.support.ts';

let tapped: TappedInstallation;
let world: Seeded & { entra: ConnectedEntra };
const tokens = new Set<string>();

beforeAll(async () => {
  tapped = await TappedInstallation.start();
  const { graph, url } = tapped.installation;
  graph.onToken = (token) => tokens.add(token);
  world = await seedWithEntra(url, tapped.processes.firstLink, graph);
}, 240_000);
afterAll(() => tapped.stop());

/** Pieces of what is private of the certificate's key, as the connector unwraps it: short enough to stand within one line of a PEM. */
async function certificateKey(): Promise<Record<string, Buffer>> {
  const { database, environments } = tapped.installation;
  const [row] = await database.query<{ id: string; wrapped: Buffer }>(
    `select id, wrapped from entra_connector.entra_credential where kind = 'CERTIFICATE'`,
  );
  if (row === undefined) throw new Error('No certificate.');
  const keys = openKeyProvider(environments['entra-connector']['KEY_PROVIDER'] ?? '');
  const key = await keys.unwrap(row.wrapped, `entra-credential:${world.mspId}:${world.tenantId}:${row.id}`);
  await keys.close();
  // The modulus stands in the certificate; the exponent and the primes do not.
  const { d = '', p = '', q = '' } = createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  const pieces = [d, p, q].flatMap((part) => {
    const bytes = Buffer.from(part, 'base64url');
    return Array.from({ length: Math.floor(bytes.length / 24) }, (_, index) => bytes.subarray(24 * index, 24 * index + 24));
  });
  return Object.fromEntries(pieces.map((piece, index) => [`piece ${index} of the certificate's key`, piece]));
}

/** The passwords that accounts were ever given in Entra. */
function passwords(): string[] {
  const bodies = tapped.installation.graph.exchanges.map(
    ({ requestBody }) => requestBody as { passwordProfile?: { password?: string } } | undefined,
  );
  return bodies.flatMap((body) => body?.passwordProfile?.password ?? []);
}

async function sent(mutation: string, input: object): Promise<Record<string, unknown>> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
  const query = `mutation ($input: ${type}) { answer: ${mutation}(input: $input) { __typename ... on Problem { message } } }`;
  return (await ask(world.administrator.client, query, { input })).answer ?? {};
}

test('no secret, key, token, pass or password of Entra stands anywhere, but the client secret where it comes in', async () => {
  const { tenantId, technician, entra } = world;
  const secrets: Record<string, Buffer | string> = await certificateKey();
  const entraTenant = tapped.installation.graph.tenant({ id: entra.entraTenantId });

  const request = await EntraRequest.make(technician, await entraOffer(technician, tenantId, entraRole), 'Locked out');
  const signIn = await eventually(
    async () => {
      const opened = await request.signIn();
      if (opened === null) throw new Error('No credential yet.');
      return opened;
    },
    { timeoutMs: 60_000 },
  );
  expect(entraTenant.signIn({ upn: signIn.userPrincipalName, pass: signIn.pass })).toMatchObject({ signedIn: true });
  secrets['the pass'] = signIn.pass;
  await tapped.dumpQueue();

  secrets['the client secret'] = randomBytes(24).toString('base64url');
  entraTenant.addCredential(entra.clientId, { secret: { value: secrets['the client secret'] } });
  const endsOn = new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10);
  expect(await sent('addEntraSecret', { tenantId, secret: secrets['the client secret'], endsOn })).toMatchObject({
    __typename: 'EntraConnection',
  });
  // A wrong one beside it makes an error on the way.
  expect(await sent('verifyEntraConnection', { tenantId })).toMatchObject({ __typename: 'EntraConnection' });
  const wrong = randomBytes(24).toString('base64url');
  expect(await sent('addEntraSecret', { tenantId, secret: wrong, endsOn })).toMatchObject({ __typename: 'EntraConnection' });
  expect(await sent('verifyEntraConnection', { tenantId })).toMatchObject({ __typename: 'EntraConnection' });
  secrets['the wrong client secret'] = wrong;

  await technician.client.request(DemoEndGrantDocument, { input: { id: request.grantId } });
  await eventually(async () => expect((await request.grant()).state).toBe('ENDED'), { timeoutMs: 60_000 });
  for (const [index, password] of passwords().entries()) secrets[`password ${index}`] = password;
  for (const [index, token] of [...tokens].entries()) secrets[`token ${index}`] = token;
  // Each kind is among them: two passwords (made, replaced), a token by certificate and one by secret.
  const kinds = Object.keys(secrets).map((name) => name.replace(/\d+/, ''));
  for (const [kind, least] of Object.entries({ 'password ': 2, 'token ': 2, "piece  of the certificate's key": 4 }))
    expect([kind, kinds.filter((one) => one === kind).length >= least]).toEqual([kind, true]);

  const everywhere = await tapped.places();
  const wayIn = ['clients and the gateway', 'the gateway and entra-connector'];
  expect(found(secrets, everywhere).toSorted()).toEqual(
    ['the client secret', 'the wrong client secret'].flatMap((name) => wayIn.map((way) => `${name} in traffic between ${way}`)).toSorted(),
  );
  // The recorders and readers hear what passes: each place has something that is no secret.
  const open = {
    ...{ 'traffic between clients and the gateway': request.grantId, 'traffic between the gateway and entra-connector': request.grantId },
    ...{ 'traffic between services and PostgreSQL': request.grantId, 'the rows of PostgreSQL': request.grantId },
    ...{ 'logs of the services and the gateway': '/join#', 'files of the installation and the computer': 'PRIVATE KEY' },
    ...(tapped.redis === null ? {} : { 'traffic between services and Redis': request.grantId, 'dumps of Redis': 'bull:' }),
  };
  for (const [name, text] of Object.entries(open)) expect([name, everywhere[name]?.includes(text)]).toEqual([name, true]);
  // And one that stood there would be found.
  for (const [name, secret] of Object.entries(secrets))
    expect(found({ [name]: secret }, { there: `…${Buffer.from(secret).toString('hex')}…` })).toEqual([`${name} in there`]);
}, 240_000);
