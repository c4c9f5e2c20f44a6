import { expect, test } from '@jest/globals';
import { newId } from '@stint/kernel';
import { genesis, outlived, type ChainedEvent } from './audit.domain.ts';

const event = (occurredAt: string): ChainedEvent => ({
  ...{ mspId: newId(), tenantId: newId(), eventId: newId(), occurredAt, actorKind: 'system', actorId: null },
  ...{ action: 'grant.ended', subjectId: newId(), details: {}, sequence: 1, hash: genesis },
});

test.each<[string, string[], number]>([
  ['nothing', [], 0],
  ['all', ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'], 2],
  ['all but one that is as old as the limit', ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'], 1],
  ['none after a young one', ['2026-03-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'], 0],
  ['none after a time that is none', ['', '2026-01-01T00:00:00.000Z'], 0],
])('%s is outlived', (_, times, expected) => {
  expect(outlived(times.map(event), new Date('2026-02-01T00:00:00.000Z'))).toHaveLength(expected);
});
