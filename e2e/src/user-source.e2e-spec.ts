// Promise: people of chosen groups in Entra are technicians here, and whoever loses their access there loses it here, all of it and at
// once. Every service runs in this process; Microsoft is the emulator. An administrator sits at the command line.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { entraOffer, EntraRequest, Person } from '@stint/embedded';
import { eventually } from '@stint/testing';
import { CommandLine } from './command-line.ts';
import { ask } from './sign-in-world.ts';
import { Stint } from './stint.ts';

interface Technician {
  id: string;
  email: string;
  active: boolean;
  sourceOff: boolean;
  groups: { id: string }[];
  roles: { role: string; fromSource: boolean }[];
}
interface Reading {
  id: string;
  counts: object;
  changes: { items: { objectId: string; kind: string; why: string | null }[] };
}
interface Source {
  groups: { missing: boolean }[];
  held: { id: string; heldBecause: string } | null;
}
interface Grant {
  state: string;
  endReason: string | null;
  entraAccess: { phase: string; roleName: string } | null;
}

const [email, colleague] = ['carla@contoso.example', 'dora@contoso.example'];
const roleName = 'Helpdesk Administrator';
let stint: Stint;
let tenantId: string;
let folder: string;
let commands: CommandLine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stint-user-source-'));
  stint = await Stint.start({ processes: false, entra: true });
  ({ tenantId } = stint.world);
  commands = new CommandLine(stint.installation.url, folder);
  await commands.run(['sign-in', stint.installation.url], undefined, stint.world.administrator);
});
afterAll(async () => {
  await stint?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The customer's technicians with an address. */
async function technicians(address: string): Promise<Technician[]> {
  const query = `query ($id: ID!) { tenant(id: $id) { technicians(first: 100) { edges { node {
    id email active sourceOff groups { id } roles { role fromSource } } } } } }`;
  const { tenant } = await ask(stint.administrator, query, { id: tenantId });
  const { edges } = tenant?.['technicians'] as { edges: { node: Technician }[] };
  return edges.map(({ node }) => node).filter((technician) => technician.email === address);
}

/** Has Entra asked now, and waits until Carla is as she must be. */
async function synced(as: Partial<Technician>): Promise<void> {
  await commands.json(['entra', 'source', 'sync', tenantId]);
  await eventually(async () => expect(await technicians(email)).toMatchObject([as]));
}

test('somebody of a chosen group comes, works, loses all that they have, comes back and goes; many go after a yes', async () => {
  const { entra, installation } = stint;
  const carla = entra.addUser({ displayName: 'Carla', mail: email });
  const dora = entra.addUser({ displayName: 'Dora', mail: colleague });
  const guest = entra.addUser({ displayName: 'Guest', userType: 'Guest' });
  const { id: groupId } = entra.addGroup({ displayName: 'Service desk', members: [carla.id, dora.id, guest.id] });

  const found = await commands.json<{ items: { id: string }[] }>(['entra', 'source', 'groups', tenantId, 'Serv']);
  expect(found.items.map(({ id }) => id)).toEqual([groupId]);
  const desk = await commands.json<{ id: string }>(['group', 'create', 'Service desk', '--tenant', tenantId]);
  const rule = ['rule', 'add', tenantId, 'Service desk', '--kind', 'entra-role', '--entra-role', roleName, '--group', desk.id];
  await commands.json([...rule, '--longest', '60']);
  const chosen = `${groupId}=${desk.id}:technician`;
  const preview = await commands.json<Reading>(['entra', 'source', 'preview', tenantId, '--group', chosen]);
  expect(preview.counts).toMatchObject({ added: 2, skipped: 1, switchedOff: 0 });
  expect(preview.changes.items).toContainEqual(expect.objectContaining({ objectId: carla.id, kind: 'ADDED' }));
  expect(preview.changes.items).toContainEqual(expect.objectContaining({ objectId: guest.id, why: 'GUEST' }));
  expect(await technicians(email)).toEqual([]);

  await commands.json(['entra', 'source', 'apply', preview.id, '--yes']);
  const held = { active: true, sourceOff: false, groups: [{ id: desk.id }], roles: [{ role: 'TECHNICIAN', fromSource: true }] };
  await eventually(async () => expect(await technicians(email)).toMatchObject([held]));
  const [{ id }] = (await technicians(email)) as [Technician];
  const { link } = await commands.json<{ link: string }>(['technician', 'invite', email, '--id', id, '--tenant', tenantId]);
  const person = await Person.join(installation.url, link, { displayName: 'Carla', email });
  expect(person.technicianId).toBe(id);
  const { grantId } = await EntraRequest.make(person, await entraOffer(person, tenantId, roleName), 'Locked out');
  const grant = () => commands.json<Grant>(['grant', 'show', grantId]);
  await eventually(async () => expect(await grant()).toMatchObject({ state: 'ACTIVE', entraAccess: { phase: 'ACTIVE', roleName } }));
  expect(stint.accessInEntra()).toContain(roleName);

  entra.changeUser(carla.id, { accountEnabled: false });
  await synced({ active: false, sourceOff: true, groups: [], roles: [] });
  await eventually(() => expect(ask(person.client, '{ viewer { id } }')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' }));
  await expect(Person.signIn(installation.url, person.toJSON())).rejects.toThrow();
  await eventually(async () =>
    expect(await grant()).toMatchObject({ state: 'ENDED', endReason: 'ACCESS_REMOVED', entraAccess: { phase: 'ENDED' } }),
  );
  expect(stint.accessInEntra()).toEqual([]);

  entra.changeUser(carla.id, { accountEnabled: true });
  await synced(held);
  const again = await Person.signIn(installation.url, person.toJSON());
  expect(await ask(again.client, '{ viewer { id } }')).toEqual({ viewer: { id } });

  entra.deleteUser(carla.id);
  await synced({ id, active: false, sourceOff: true, groups: [], roles: [] });
  await eventually(() => expect(ask(again.client, '{ viewer { id } }')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' }));

  // By mistake, perhaps: nobody else goes before somebody has said yes.
  entra.deleteGroup(groupId);
  await commands.json(['entra', 'source', 'sync', tenantId]);
  const { held: waiting } = await eventually(async () => {
    const source = await commands.json<Source>(['entra', 'source', 'show', tenantId]);
    expect(source).toMatchObject({ groups: [{ missing: true }], held: { heldBecause: expect.stringContaining('1 of 1 people') } });
    return source;
  });
  expect(await technicians(colleague)).toMatchObject([{ active: true }]);
  await commands.json(['entra', 'source', 'apply', waiting?.id ?? '', '--yes']);
  await eventually(async () => expect(await technicians(colleague)).toMatchObject([{ active: false, sourceOff: true }]));

  await stint.drained();
  const { actions, verification } = await stint.audit();
  expect(verification).toMatchObject({ intact: true });
  expect(actions).toEqual(expect.arrayContaining(['user-source.switched-on', 'technician.added', 'grant.ended', 'technician.changed']));
});
