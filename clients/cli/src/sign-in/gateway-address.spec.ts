import { describe, expect, test } from '@jest/globals';
import { gatewayAddress } from './gateway-address.ts';

describe('the address to sign in to', () => {
  test.each([
    ['https://stint.example.com', 'https://stint.example.com'],
    ['https://stint.example.com/', 'https://stint.example.com'],
    ['https://Example.com:8443/stint/', 'https://example.com:8443/stint'],
    ['http://localhost:4000', 'http://localhost:4000'],
    ['http://127.0.0.1:4000/', 'http://127.0.0.1:4000'],
    ['http://[::1]:4000', 'http://[::1]:4000'],
  ])('%s is %s', (text, address) => {
    expect(gatewayAddress(text, {})).toBe(address);
  });

  test.each([
    ['', /not an address/],
    ['stint.example.com', /not an address/],
    ['ftp://stint.example.com', /not an address/],
    ['https://anna:secret@stint.example.com', /not an address/],
    ['https://stint.example.com/join#Zm9vYmFyYmF6cXV4MTIzNA', /open it there first.*stint sign-in https:\/\/stint\.example\.com"/],
    ['https://stint.example.com/l/q0E7c2hSX3lKd0tQbFZ4Tg', /for a browser/],
    ['http://stint.example.com', /--allow-http/],
    ['http://127.0.0.1.example.com', /--allow-http/],
  ])('%s is refused, and its secret not repeated', (text, words) => {
    expect(() => gatewayAddress(text, {})).toThrow(words);
    expect(() => gatewayAddress(text, {})).not.toThrow(/secret|Zm9v/);
  });

  test('without TLS is taken where that was asked for', () => {
    expect(gatewayAddress('http://stint.example.com', { allowHttp: true })).toBe('http://stint.example.com');
  });
});
