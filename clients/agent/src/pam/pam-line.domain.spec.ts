import { expect, test } from '@jest/globals';
import { longestLine, pamLine, readPamLine } from './pam-line.domain.ts';

test.each([
  ['login sshd 120 4567', { op: 'login', service: 'sshd', pid: 120, startTicks: '4567' }],
  ['open su-l 9 0', { op: 'open', service: 'su-l', pid: 9, startTicks: '0' }],
  ['become su 9 1 jit-anna', { op: 'become', service: 'su', pid: 9, startTicks: '1', account: 'jit-anna' }],
  ['answer', { op: 'answer', text: '' }],
  ['answer ', { op: 'answer', text: '' }],
  ['answer  anna@example.com ', { op: 'answer', text: 'anna@example.com' }],
  ['login sshd 0 4567', null],
  ['login sshd -1 4567', null],
  ['login sshd 12', null],
  ['login ../x 12 5', null],
  ['login sshd 12 5 jit-anna', null],
  ['become su 12 5', null],
  ['become su 12 5 a b', null],
  ['answers', null],
  ['', null],
])('a line of the module: %j', (line, expected) => {
  expect(readPamLine(line)).toEqual(expected);
});

test.each([
  [{ say: 'wait' }, 'wait\n'],
  [{ say: 'text', text: '██ ▀▄' }, 'text ██ ▀▄\n'],
  [{ say: 'text', text: '' }, 'text \n'],
  [{ say: 'fail', text: 'two\nok root\r\u001b[2J\u0085' }, 'fail two ok root  [2J \n'],
] as const)('a line for the module: %j', (reply, expected) => {
  expect(pamLine(reply)).toBe(expected);
});

test('a line for the module is never longer than it can take', () => {
  expect(Buffer.byteLength(pamLine({ say: 'text', text: '█'.repeat(2_000) }))).toBeLessThanOrEqual(longestLine + 6);
});
