import { describe, expect, test } from '@jest/globals';
import { NetworkError, ProblemError, StintError } from '@stint/sdk';
import { CommandRefusal, describeFailure, UsageError } from './failure.ts';

describe('a failure', () => {
  test.each([
    [new UsageError('Pass --name.'), 2, 'USAGE', 'Pass --name.'],
    [new CommandRefusal('CANCELLED', 'Cancelled.'), 1, 'CANCELLED', 'Cancelled.'],
    [new ProblemError('Conflict', 'It is over.'), 1, 'Conflict', 'It is over.'],
    [
      new ProblemError('InvalidInput', 'must be 12 to 127', { field: 'passwordLength' }),
      1,
      'InvalidInput',
      'passwordLength: must be 12 to 127',
    ],
    [new StintError('FORBIDDEN', 'You need tenant.write.'), 1, 'FORBIDDEN', 'You need tenant.write.'],
    [new NetworkError('http://x cannot be reached: ECONNREFUSED'), 3, 'UNREACHABLE', 'http://x cannot be reached: ECONNREFUSED'],
    [
      Object.assign(new Error("ENOSPC: no space left on device, open '/x'"), { code: 'ENOSPC', syscall: 'open' }),
      1,
      'ENOSPC',
      "ENOSPC: no space left on device, open '/x'",
    ],
  ])('%s ends with its exit code and message', (error, exitCode, type, message) => {
    expect(describeFailure(error)).toMatchObject({ exitCode, type, message });
  });

  test.each([new TypeError('x is not a function'), 'text', null, undefined])('of an unforeseen kind (%p) tells no stack', (error) => {
    const failure = describeFailure(error);
    expect(failure).toMatchObject({ exitCode: 1, type: 'INTERNAL' });
    expect(failure.message).not.toContain(' at ');
  });

  test('of the server names the entry in its log', () => {
    expect(describeFailure(new StintError('INTERNAL', 'Failed.', { correlationId: 'c-1' })).advice).toContain('c-1');
  });
});
