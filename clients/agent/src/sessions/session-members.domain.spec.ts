import { describe, expect, test } from '@jest/globals';
import type { SystemProcess } from '../processes/process-ref.ts';
import { sessionMembers, type Members } from './session-members.domain.ts';

const process = (pid: number, parent: number, session = 1, startTicks = `${pid}0`): SystemProcess => ({
  pid,
  parent,
  session,
  tty: 0,
  busyTicks: 0,
  startTicks,
});
const nobody: Members = new Map();
const seen = (...members: SystemProcess[]): Members => new Map(members.map((member) => [member.pid, member]));
const first = [{ pid: 10, startTicks: '100' }];

describe('who belongs to a session', () => {
  test.each<[string, Members, SystemProcess[], number[]]>([
    ['its first process alone', nobody, [process(10, 5)], [10]],
    ['its children and theirs', nobody, [process(12, 11), process(11, 10), process(10, 5)], [10, 11, 12]],
    ['not its parent, nor the sessions beside it', nobody, [process(5, 1), process(10, 5), process(20, 5), process(21, 20)], [10]],
    ['a child in a session of its own, and who is in it', nobody, [process(10, 5), process(11, 10, 11), process(13, 1, 11)], [10, 11, 13]],
    ['an orphan that was seen before', seen(process(10, 5), process(11, 10)), [process(11, 1)], [11]],
    ['the children of an orphan', seen(process(11, 10)), [process(11, 1), process(12, 11)], [11, 12]],
    ['an orphan in the session of a leader that ended', seen(process(11, 10, 11)), [process(13, 1, 11)], [13]],
    ['an orphan that nobody saw, in the session that the first process led', nobody, [process(13, 1, 10)], [13]],
    ['its id belongs to somebody else now', nobody, [process(10, 5, 10, '999'), process(11, 10, 10)], []],
    ['an id seen before belongs to somebody else now', seen(process(11, 10)), [process(11, 1, 11, '999'), process(12, 11)], []],
    ['the session of the terminal around it is not its own', nobody, [process(4, 1, 4), process(10, 4, 4), process(6, 4, 4)], [10]],
    ['the agent, even if started from within', nobody, [process(10, 5), process(99, 10), process(11, 10)], [10, 11]],
    ['the first of all processes never', seen(process(1, 0)), [process(1, 0, 1), process(10, 1)], [10]],
    ['nobody', nobody, [process(20, 1)], []],
  ])('%s', (_name, before, running, members) => {
    expect([...sessionMembers(first, before, running, new Set([99])).keys()].sort((a, b) => a - b)).toEqual(members);
  });
});
