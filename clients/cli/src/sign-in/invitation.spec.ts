import { describe, expect, test } from '@jest/globals';
import { UsageError } from '../failure.ts';
import { invitationMark, parseInvitation } from './invitation.ts';

const token = 'Zm9vYmFyYmF6cXV4MTIzNA';

describe('an invitation', () => {
  test.each([
    [`https://stint.example.com/join#${token}`, {}, 'https://stint.example.com'],
    [`https://stint.example.com/msp/join#${token}`, {}, 'https://stint.example.com/msp'],
    [`https://stint.example.com:8443/join/#${token}`, {}, 'https://stint.example.com:8443'],
    [`http://127.0.0.1:4000/join#${token}`, {}, 'http://127.0.0.1:4000'],
    [`http://localhost:4000/join#${token}`, {}, 'http://localhost:4000'],
    [`http://[::1]:4000/join#${token}`, {}, 'http://[::1]:4000'],
    [`http://stint.lan/join#${token}`, { allowHttp: true }, 'http://stint.lan'],
    [token, { url: 'https://stint.example.com/' }, 'https://stint.example.com'],
    [token, { url: 'https://stint.example.com/msp' }, 'https://stint.example.com/msp'],
  ])('%s %j is redeemed at %s', (text, options, url) => {
    expect(parseInvitation(text, options)).toEqual({ url, token });
  });

  test.each([
    ['', {}],
    ['https://stint.example.com/join', {}],
    ['https://stint.example.com/join#', {}],
    ['https://stint.example.com/join#short', {}],
    [`https://stint.example.com/join#${token}%20`, {}],
    [`https://stint.example.com/#${token}`, {}],
    [`https://stint.example.com/join?x=1#${token}`, {}],
    [`https://anna:secret@stint.example.com/join#${token}`, {}],
    [`http://stint.example.com/join#${token}`, {}],
    [`http://127.0.0.1.example.com/join#${token}`, {}],
    [`ftp://stint.example.com/join#${token}`, {}],
    [`javascript:alert(1)#${token}`, {}],
    [token, {}],
    [token, { url: 'stint.example.com' }],
    [token, { url: 'http://stint.example.com' }],
  ])('refuses %j %j without repeating the token', (text, options) => {
    expect.assertions(2);
    try {
      parseInvitation(text, options);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      expect(String(error)).not.toContain(token);
    }
  });

  test('is known again by its mark, which does not contain it', () => {
    const mark = invitationMark({ url: 'https://a.example', token });
    expect(mark).toMatch(/^[0-9a-f]{64}$/);
    expect(invitationMark({ url: 'https://a.example', token })).toBe(mark);
    expect(invitationMark({ url: 'https://b.example', token })).not.toBe(mark);
    expect(invitationMark({ url: 'https://a.example', token: `${token}x` })).not.toBe(mark);
  });
});
