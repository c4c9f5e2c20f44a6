// Technicians from Entra, from the command line: what is sent, what is shown, and what is asked first.
import { describe, expect, test } from '@jest/globals';
import { refuse } from '../scripted-gateway.support.ts';
import { anId, signedIn, tenantId } from '../signed-in.support.ts';

const here = signedIn();
const [groupId, objectId] = ['11111111-2222-4333-8444-555555555555', '66666666-7777-4888-8999-000000000000'];
const readingId = anId(30);
const technicianGroup = { id: anId(20), name: 'First line' };
const group = { groupId, name: 'Service desk', technicianGroup, role: 'TECHNICIAN', missing: false };
const counts = { added: 2, changed: 0, switchedOff: 1, switchedOn: 0, unchanged: 7, skipped: 1, conflicts: 1 };

function reading(change: object = {}) {
  return {
    ...{
      id: readingId,
      tenant: { id: tenantId, name: 'Contoso' },
      purpose: 'PREVIEW',
      state: 'WAITING',
      startedAt: '2026-11-23T13:18:21Z',
      groups: [group],
      counts,
      heldBecause: null,
    },
    ...change,
  };
}

function tenant(change: object = {}) {
  const source = {
    ...{ id: tenantId, state: 'ON', groups: [group], people: 10, problem: null, preview: null, held: null },
    ...{ lastSyncAt: '2026-11-23T13:18:21Z', nextSyncAt: '2026-11-23T13:21:21Z' },
    ...change,
  };
  return { __typename: 'Tenant', id: tenantId, name: 'Contoso', userSource: source };
}

const person = {
  ...{ objectId, email: 'anna@contoso.example', displayName: 'Anna', technicianGroups: [technicianGroup], roles: ['TECHNICIAN'] },
  ...{ why: null as string | null, conflict: null as string | null },
};
const changes = [
  { ...person, id: anId(41), kind: 'ADDED' },
  { ...person, id: anId(42), kind: 'ADDED', displayName: 'Bert', conflict: 'LOCAL_TECHNICIAN' },
  { ...person, id: anId(43), kind: 'SWITCHED_OFF', displayName: 'Carl', technicianGroups: [], roles: [] },
  { ...person, id: anId(44), kind: 'SKIPPED', email: null, displayName: 'Guest', technicianGroups: [], roles: [], why: 'GUEST' },
];

/** Answers the changes in pages of the length that is asked for. */
function pagedChanges(): void {
  here.gateway.on('SourceChanges', ({ variables }) => {
    const from = Number(variables['after'] ?? 0);
    const end = from + Number(variables['first']);
    const edges = changes.slice(from, end).map((node) => ({ node }));
    return { userSourceReading: { changes: { edges, pageInfo: { hasNextPage: end < changes.length, endCursor: String(end) } } } };
  });
}

const preview = ['entra', 'source', 'preview', tenantId, '--group', `${groupId}=${technicianGroup.id}:technician`];
const asked = (operation: string) => here.gateway.calls.filter((call) => call.operation === operation);

describe('groups in Entra', () => {
  const found = { id: groupId, displayName: 'Service desk', description: null as string | null };

  test('are found by the beginning of their name', async () => {
    here.gateway.on('EntraGroups', () => ({ tenant: { entraGroups: [found] } }));
    const { stdout } = await here.stint(['entra', 'source', 'groups', tenantId, 'Serv']);
    expect(stdout).toMatch(new RegExp(`^OBJECT ID +NAME +DESCRIPTION\n${groupId}  Service desk\n$`));
    expect(asked('EntraGroups')[0]?.variables).toEqual({ tenantId, startingWith: 'Serv' });
  });

  test('are no more than the server gives, and that is said', async () => {
    here.gateway.on('EntraGroups', () => ({ tenant: { entraGroups: Array.from({ length: 100 }, () => found) } }));
    const { stderr } = await here.stint(['entra', 'source', 'groups', tenantId, 'S']);
    expect(stderr).toBe('There may be more. Give more of the name.\n');
    const { stdout } = await here.stint(['--json', 'entra', 'source', 'groups', tenantId, 'S']);
    expect(JSON.parse(stdout)).toMatchObject({ more: true });
  });

  test('of a tenant that is not visible, or that Entra does not show, are refused', async () => {
    here.gateway.on('EntraGroups', () => ({ tenant: null }));
    expect(await here.stint(['entra', 'source', 'groups', tenantId, 'S'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('No tenant with this id'),
    });
    here.gateway.on('EntraGroups', () => refuse('TRY_AGAIN', 'GroupMember.Read.All is not granted.'));
    expect(await here.stint(['entra', 'source', 'groups', tenantId, 'S'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('GroupMember.Read.All is not granted.'),
    });
  });
});

describe('a preview', () => {
  test('waits until everything is read, and shows who comes, who goes, who is skipped and why', async () => {
    const states = [reading({ state: 'COMPARING', counts: null }), reading(), reading()];
    here.gateway
      .on('PreviewUserSource', () => ({ previewUserSource: { __typename: 'UserSourceReading', id: readingId } }))
      .on('SourceReading', () => ({ userSourceReading: states.shift() }));
    pagedChanges();
    const { exitCode, stdout, stderr } = await here.stint(preview);
    expect(exitCode).toBe(0);
    expect(here.sent('PreviewUserSource')).toEqual([
      { id: expect.any(String), tenantId, groups: [{ groupId, technicianGroupId: technicianGroup.id, role: 'TECHNICIAN' }] },
    ]);
    expect(stdout).toMatch(/^Nothing has changed yet\.\n/);
    expect(stdout).toMatch(/come +2\n.*switched off +1\n.*skipped +1\naddress in conflict +1\n/s);
    expect(
      stdout
        .split('\n')
        .slice(-6)
        .map((line) => line.split(/ {2,}/).slice(1)),
    ).toEqual([
      ['WHAT', 'EMAIL', 'NAME', 'GROUPS', 'ROLES', 'NOTE'],
      ['added', 'anna@contoso.example', 'Anna', 'First line', 'technician'],
      ['added', 'anna@contoso.example', 'Bert', 'First line', 'technician', expect.stringContaining('a local technician has the address')],
      ['switched off', 'anna@contoso.example', 'Carl'],
      ['skipped', 'Guest', 'a guest'],
      [],
    ]);
    expect(stderr).toContain(`stint entra source apply ${readingId}`);
  });

  test('is shown in pages, as lists are', async () => {
    here.gateway.on('SourceReading', () => ({ userSourceReading: reading() }));
    pagedChanges();
    const some = await here.stint(['entra', 'source', 'changes', readingId, '--limit', '3']);
    expect(some).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('There are more rows.') });
    const all = await here.stint(['--json', 'entra', 'source', 'changes', readingId, '--all']);
    expect(JSON.parse(all.stdout)).toEqual({ ...reading(), changes: { items: changes, more: false } });
    expect(all.stderr).toBe('');
  });

  test.each([
    ['a problem', 'Consent was withdrawn.', 'Consent was withdrawn.'],
    ['a large tenant', null, `stint entra source changes ${readingId}`],
  ])('that is not there in time says so: %s', async (_, problem, said) => {
    here.gateway
      .on('PreviewUserSource', () => ({ previewUserSource: { __typename: 'UserSourceReading', id: readingId } }))
      .on('SourceReading', () => ({ userSourceReading: reading({ state: 'READING', counts: null }) }))
      .on('UserSourceOf', () => ({ tenant: tenant({ problem }) }));
    const run = await here.stint([...preview, '--seconds', '1']);
    expect(run).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining(said) });
    expect(run.stderr).toContain(readingId);
  });

  test('that could not be read is told with the reason', async () => {
    here.gateway
      .on('PreviewUserSource', () => ({ previewUserSource: { __typename: 'UserSourceReading', id: readingId } }))
      .on('SourceReading', () => ({ userSourceReading: reading({ state: 'DISCARDED', counts: null, heldBecause: 'Not granted.' }) }));
    expect(await here.stint(preview)).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('Not granted.') });
  });

  test.each([
    ['READING', 'still being read'],
    ['COMPARING', 'still being read'],
    ['APPLIED', 'was applied'],
    ['DISCARDED', 'was discarded'],
  ])('that is %s has nothing to show, also when that happens meanwhile', async (state, said) => {
    const refused = { exitCode: 1, stdout: '', stderr: expect.stringContaining(said) };
    pagedChanges();
    for (const before of [[], [reading()]]) {
      const states = [...before, reading({ state })];
      here.gateway.on('SourceReading', () => ({ userSourceReading: states.shift() }));
      expect(await here.stint(['entra', 'source', 'changes', readingId])).toMatchObject(refused);
    }
  });

  test('that is being applied is shown', async () => {
    here.gateway.on('SourceReading', () => ({ userSourceReading: reading({ state: 'APPLYING' }) }));
    pagedChanges();
    expect(await here.stint(['entra', 'source', 'changes', readingId])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('Bert'),
    });
  });

  test('that a newer one has overtaken is not shown', async () => {
    here.gateway
      .on('PreviewUserSource', () => ({ previewUserSource: { __typename: 'UserSourceReading', id: readingId } }))
      .on('SourceReading', () => ({ userSourceReading: reading({ state: 'DISCARDED' }) }));
    expect(await here.stint(preview)).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('discarded') });
  });

  test('that is refused is told with the problem, for machines with its type and field', async () => {
    const message = 'groups.0.groupId: there is no group with this object id in Entra ID.';
    here.gateway.on('PreviewUserSource', () => ({ previewUserSource: { __typename: 'InvalidInput', message, field: 'groups.0.groupId' } }));
    expect(await here.stint(preview)).toMatchObject({ exitCode: 1, stderr: `stint: ${message}\n` });
    const { stderr } = await here.stint([...preview, '--json']);
    expect(JSON.parse(stderr)).toEqual({ error: { type: 'InvalidInput', message, field: 'groups.0.groupId' } });
  });

  test.each([[[]], [['--group', 'Technicians']], [['--group', `${groupId}=${anId(20)}:administrator`]]])(
    'with %j asks nothing of the server',
    async (groups) => {
      expect(await here.stint(['entra', 'source', 'preview', tenantId, ...groups])).toMatchObject({ exitCode: 2 });
      expect(here.gateway.calls).toEqual([]);
    },
  );
});

describe('what waits for a yes', () => {
  const apply = ['entra', 'source', 'apply', readingId];

  test('is shown with the source: why it is held, how many it would change, and what to do', async () => {
    const held = reading({ purpose: 'SYNC', heldBecause: 'A chosen group is gone from Entra ID.' });
    const groups = [group, { ...group, name: 'Gone', missing: true, role: null, technicianGroup: null }];
    here.gateway.on('UserSourceOf', () => ({ tenant: tenant({ held, groups, problem: 'The secret has expired.' }) }));
    const { exitCode, stdout, stderr } = await here.stint(['entra', 'source', 'show', tenantId]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^state +on\npeople +10\n/);
    for (const shown of [held.heldBecause, 'The secret has expired.', 'Gone (gone from Entra)  ?', '2 come, 0 change, 1 are switched off'])
      expect(stdout).toContain(shown);
    expect(stderr).toContain(`stint entra source apply ${readingId}`);
  });

  test('is applied after a yes to what was shown, and only then', async () => {
    here.gateway
      .on('SourceReading', () => ({ userSourceReading: reading() }))
      .on('ApplyUserSourceReading', () => ({ applyUserSourceReading: tenant() }));
    const refused = await here.stint(apply, { typed: ['n'] });
    expect(refused).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringMatching(/tenant +Contoso\n.*switched off +1\n/s) });
    expect(refused.stderr).toMatch(new RegExp(`${groupId} +Service desk +First line +technician\n`));
    // Nobody can be asked.
    expect(await here.stint(apply)).toMatchObject({ exitCode: 2 });
    expect(here.sent('ApplyUserSourceReading')).toEqual([]);
    expect(await here.stint(apply, { typed: ['y'] })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('It is being applied.'),
    });
    expect(await here.stint([...apply, '--yes'])).toMatchObject({ exitCode: 0 });
    expect(here.sent('ApplyUserSourceReading')).toEqual([{ id: readingId }, { id: readingId }]);
  });

  test('is discarded', async () => {
    here.gateway.on('DiscardUserSourceReading', () => ({ discardUserSourceReading: tenant({ state: 'OFF', groups: [] }) }));
    expect(await here.stint(['entra', 'source', 'discard', readingId])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^No said\. Nobody is changed\.\nstate +off\n/),
    });
    expect(here.sent('DiscardUserSourceReading')).toEqual([{ id: readingId }]);
  });

  test('is told when it grew old, was answered, or is not there', async () => {
    const message = 'This preview is more than an hour old. Make a new one and look at it.';
    here.gateway
      .on('SourceReading', () => refuse('NOT_FOUND', 'No reading with this id.'))
      .on('ApplyUserSourceReading', () => ({ applyUserSourceReading: { __typename: 'Conflict', message } }))
      .on('DiscardUserSourceReading', () => ({
        discardUserSourceReading: { __typename: 'NotFound', message: 'No reading with this id.' },
      }));
    expect(await here.stint([...apply, '--yes'])).toMatchObject({ exitCode: 1, stderr: `stint: ${message}\n` });
    expect(await here.stint(apply, { typed: ['y'] })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('No reading with this id.'),
    });
    expect(here.sent('ApplyUserSourceReading')).toHaveLength(1);
    const { stderr } = await here.stint(['--json', 'entra', 'source', 'discard', readingId]);
    expect(JSON.parse(stderr)).toEqual({ error: { type: 'NotFound', message: 'No reading with this id.' } });
  });
});

describe('a source', () => {
  test('that was never begun, or of a tenant that is not visible, is not found', async () => {
    here.gateway.on('UserSourceOf', () => ({ tenant: { ...tenant(), userSource: null } }));
    const none = { exitCode: 1, stdout: '', stderr: expect.stringContaining('"stint entra source preview" first') };
    expect(await here.stint(['entra', 'source', 'show', tenantId])).toMatchObject(none);
    expect(await here.stint(['entra', 'source', 'off', tenantId, '--people', 'keep'])).toMatchObject(none);
    here.gateway.on('UserSourceOf', () => ({ tenant: null }));
    expect(await here.stint(['entra', 'source', 'show', tenantId])).toMatchObject({ exitCode: 1, stdout: '' });
    expect(await here.stint(['entra', 'source', 'off', tenantId, '--people', 'keep'])).toMatchObject({ exitCode: 1, stdout: '' });
  });

  test('is synchronized now, on request in full', async () => {
    here.gateway.on('SyncUserSource', () => ({ syncUserSource: tenant() }));
    expect(await here.stint(['entra', 'source', 'sync', tenantId])).toMatchObject({ exitCode: 0 });
    await here.stint(['entra', 'source', 'sync', tenantId, '--full']);
    expect(here.sent('SyncUserSource')).toEqual([
      { tenantId, full: false },
      { tenantId, full: true },
    ]);
    const message = 'The source is switched off.';
    here.gateway.on('SyncUserSource', () => ({ syncUserSource: { __typename: 'Conflict', message } }));
    expect(await here.stint(['entra', 'source', 'sync', tenantId])).toMatchObject({ exitCode: 1, stderr: `stint: ${message}\n` });
  });

  test('is switched off after a yes to what becomes of its people', async () => {
    here.gateway
      .on('UserSourceOf', () => ({ tenant: tenant() }))
      .on('SwitchUserSourceOff', () => ({ switchUserSourceOff: tenant({ state: 'SWITCHING_OFF', groups: [] }) }));
    const off = ['entra', 'source', 'off', tenantId];
    expect(await here.stint(off)).toMatchObject({ exitCode: 2 });
    expect(await here.stint([...off, '--people', 'delete'])).toMatchObject({ exitCode: 2 });
    const refused = await here.stint([...off, '--people', 'switch-off'], { typed: [''] });
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/people +10\nbecome +switched off\n/) });
    expect(here.sent('SwitchUserSourceOff')).toEqual([]);
    const done = await here.stint([...off, '--people', 'keep'], { typed: ['yes'] });
    expect(done).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/state +switching off\n/) });
    await here.stint([...off, '--people', 'SWITCH_OFF', '--yes']);
    expect(here.sent('SwitchUserSourceOff')).toEqual([
      { tenantId, people: 'KEEP' },
      { tenantId, people: 'SWITCH_OFF' },
    ]);
  });
});

describe('conflicts', () => {
  const conflict = {
    ...{ id: anId(50), objectId, email: 'anna@contoso.example', displayName: 'Anna', kind: 'LOCAL_TECHNICIAN', leftAlone: false },
    technician: { id: anId(6), displayName: 'Anna Berg', email: 'anna@contoso.example' } as object | null,
  };
  const technician = {
    ...{ id: anId(6), displayName: 'Anna', email: 'anna@contoso.example', roles: [], active: true, joined: true, totpEnrolled: false },
  };

  test('are listed with who has the address', async () => {
    const rows = [conflict, { ...conflict, id: anId(51), leftAlone: true }, { ...conflict, kind: 'LAST_ADMINISTRATOR', technician: null }];
    const sourceConflicts = { edges: rows.map((node) => ({ node })), pageInfo: { hasNextPage: true, endCursor: null } };
    here.gateway.on('SourceConflicts', () => ({ tenant: { sourceConflicts } }));
    const { stdout, stderr } = await here.stint(['entra', 'source', 'conflicts', tenantId]);
    expect(stdout.split('\n').map((line) => line.split(/ {2,}/).slice(3))).toMatchObject([
      ['WHY', 'WHO HAS THE ADDRESS', 'TECHNICIAN'],
      ['a local technician has the address', 'Anna Berg', anId(6)],
      ['a local technician has the address; left alone', 'Anna Berg', anId(6)],
      ['nobody else administers the MSP'],
      [],
    ]);
    expect(stderr).toContain('There are more rows.');
    here.gateway.on('SourceConflicts', () => ({ tenant: null }));
    expect(await here.stint(['entra', 'source', 'conflicts', tenantId])).toMatchObject({ exitCode: 1 });
  });

  function pagedConflicts(rows: (typeof conflict)[]): void {
    here.gateway.on('SourceConflicts', ({ variables }) => {
      const from = Number(variables['after'] ?? 0);
      const end = from + Number(variables['first']);
      const edges = rows.slice(from, end).map((node) => ({ node }));
      return { tenant: { sourceConflicts: { edges, pageInfo: { hasNextPage: end < rows.length, endCursor: String(end) } } } };
    });
  }

  test.each([
    ['link', 'LINK', technician, 'Linked.'],
    ['LEAVE', 'LEAVE', null, 'Left alone.'],
  ])('are resolved by %s', async (typed, decision, linked, said) => {
    pagedConflicts([conflict]);
    here.gateway.on('ResolveSourceConflict', () => ({
      resolveSourceConflict: { __typename: 'SourceConflictResolved', technician: linked },
    }));
    const run = await here.stint(['entra', 'source', 'resolve', tenantId, conflict.id, typed], { typed: ['y'] });
    expect(run).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(said) });
    expect(here.sent('ResolveSourceConflict')).toEqual([{ id: conflict.id, decision }]);
  });

  test('are linked after a yes to who is who, and only then', async () => {
    const others = Array.from({ length: 100 }, (_, place) => ({ ...conflict, id: anId(100 + place), displayName: 'Other' }));
    pagedConflicts([...others, conflict]);
    const link = ['entra', 'source', 'resolve', tenantId, conflict.id, 'link'];
    const refused = await here.stint(link, { typed: ['n'] });
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(new RegExp(`person in Entra +Anna\nobject id +${objectId}\n(.*\n)+technician +Anna Berg\n`));
    expect(refused.stderr).toMatch(new RegExp(`technician's id +${anId(6)}\n`));
    expect(await here.stint(link)).toMatchObject({ exitCode: 2 });
    pagedConflicts(others);
    expect(await here.stint(link, { typed: ['y'] })).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('No conflict') });
    expect(here.sent('ResolveSourceConflict')).toEqual([]);
    here.gateway.on('ResolveSourceConflict', () => ({
      resolveSourceConflict: { __typename: 'SourceConflictResolved', technician },
    }));
    expect(await here.stint([...link, '--yes'])).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Linked.') });
  });

  test('that end by themselves, or are not there, are refused', async () => {
    for (const type of ['Conflict', 'NotFound']) {
      here.gateway.on('ResolveSourceConflict', () => ({ resolveSourceConflict: { __typename: type, message: 'Not so.' } }));
      const { exitCode, stderr } = await here.stint(['--json', 'entra', 'source', 'resolve', tenantId, conflict.id, 'link', '--yes']);
      expect([exitCode, JSON.parse(stderr)]).toEqual([1, { error: { type, message: 'Not so.' } }]);
    }
    expect(await here.stint(['entra', 'source', 'resolve', tenantId, conflict.id, 'merge'])).toMatchObject({ exitCode: 2 });
    expect(here.sent('ResolveSourceConflict')).toHaveLength(2);
  });
});
