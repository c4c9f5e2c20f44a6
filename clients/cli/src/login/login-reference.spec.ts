import { describe, expect, test } from '@jest/globals';
import { CommandRefusal, UsageError } from '../failure.ts';
import { loginCode } from './login-reference.ts';

const code = 'q0E7c2hSX3lKd0tQbFZ4Tg';
const home = 'https://stint.example.com';

describe('what a computer shows', () => {
  test.each([
    [code, home],
    [`${home}/login/${code}`, home],
    [`${home}/l#${code}`, home],
    [`https://STINT.example.com:443/login/${code}`, home],
    [`http://127.0.0.1:4000/login/${code}`, 'http://127.0.0.1:4000'],
    [`https://example.com/stint/login/${code}`, 'https://example.com/stint'],
  ])('%s is read by a profile of %s', (text, url) => expect(loginCode(text, url)).toBe(code));

  test.each([
    `https://evil.example.com/login/${code}`,
    `https://stint.example.com.evil.example/login/${code}`,
    `http://stint.example.com/login/${code}`,
    `https://stint.example.com:8443/login/${code}`,
    `https://stint.example.com@evil.example/login/${code}`,
    `https://evil@stint.example.com/login/${code}`,
    `otpauth://totp/x?secret=${code}`,
    `javascript:${code}`,
  ])('%s leads elsewhere and is refused', (text) => {
    expect(() => loginCode(text, home)).toThrow(CommandRefusal);
  });

  test('refuses another installation on the same host', () => {
    expect(() => loginCode(`https://example.com/other/login/${code}`, 'https://example.com/stint')).toThrow(CommandRefusal);
    expect(() => loginCode(`https://example.com/stint-2/login/${code}`, 'https://example.com/stint')).toThrow(CommandRefusal);
  });

  test.each(['', 'short', 'not a code', `${home}/login/`, `${home}/login/short`, `${home}/login/${code}/`])(
    '%j is no reference to a login',
    (text) => {
      expect(() => loginCode(text, home)).toThrow(UsageError);
    },
  );
});
