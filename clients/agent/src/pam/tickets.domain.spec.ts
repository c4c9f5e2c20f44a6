import { expect, test } from '@jest/globals';
import { becomeWith, openWith, overdue, ticketLifeMs, type Ticket } from './tickets.domain.ts';

const anchor = { pid: 100, startTicks: '5' };
const now = 1_000_000;
const ticket = (change: Partial<Ticket> = {}): Ticket => ({
  loginRequestId: 'login',
  account: 'jit-anna',
  anchor,
  state: 'APPROVED',
  until: now + 1,
  direct: false,
  ...change,
});
const opened = ticket({ state: 'OPENED', until: now + ticketLifeMs });

// Every (state, command).
test.each<[string, Ticket, typeof anchor, Ticket[], boolean]>([
  ['APPROVED, by its process', ticket(), anchor, [opened], true],
  ['APPROVED, the session is the account`s own', ticket({ direct: true }), anchor, [], true],
  ['APPROVED, by another process', ticket(), { pid: 101, startTicks: '5' }, [ticket()], false],
  ['APPROVED, by a later process with its id', ticket(), { pid: 100, startTicks: '6' }, [ticket()], false],
  ['APPROVED, too late', ticket({ until: now }), anchor, [ticket({ until: now })], false],
  ['OPENED: a second session', opened, anchor, [opened], false],
])('open %s', (_, before, caller, left, granted) => {
  expect(openWith([before], caller, now)).toEqual({ opened: granted ? before : null, left });
});

const su = [{ pid: 90, startTicks: '1' }, anchor, { pid: 1, startTicks: '0' }];
test.each<[string, Ticket, string, typeof su, boolean]>([
  ['OPENED, below its process', opened, 'jit-anna', su, true],
  ['OPENED, another account', opened, 'jit-bert', su, false],
  ['OPENED, below another process', opened, 'jit-anna', [{ pid: 101, startTicks: '5' }], false],
  ['OPENED, below a later process with its id', opened, 'jit-anna', [{ pid: 100, startTicks: '6' }], false],
  ['OPENED, too late', ticket({ state: 'OPENED', until: now }), 'jit-anna', su, false],
  ['APPROVED: no session is open', ticket(), 'jit-anna', su, false],
])('become %s', (_, before, account, parents, granted) => {
  expect(becomeWith([before], account, parents, now)).toEqual({ used: granted ? before : null, left: granted ? [] : [before] });
});

test('one approval, one session, one account: then there is nothing left', () => {
  const first = openWith([ticket()], anchor, now);
  expect(openWith(first.left, anchor, now).opened).toBeNull();
  const second = becomeWith(first.left, 'jit-anna', su, now);
  expect(second.used).not.toBeNull();
  expect(becomeWith(second.left, 'jit-anna', su, now).used).toBeNull();
  expect(second.left).toEqual([]);
});

test('what nobody used is over after its time', () => {
  expect(overdue([ticket(), opened], now + 1)).toEqual({ over: [ticket()], left: [opened] });
});
