import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createAddressReader, isNetwork, networkOf } from '../../../lib/http/client-address.ts';
import { setClientAddress } from '../../../lib/http/set-client-address.ts';

const TRUSTED = ['10.0.0.0/8', '2001:db8:ffff::/48', '192.0.2.7'];

test.for<[string, string, string | undefined, string]>([
  ['without proxies the peer is the client', '203.0.113.9', undefined, '203.0.113.9'],
  ['a peer that is no trusted proxy may say what it likes', '203.0.113.9', '198.51.100.1', '203.0.113.9'],
  ['a trusted proxy names the client', '10.1.2.3', '198.51.100.1', '198.51.100.1'],
  ['only the entry that a trusted proxy wrote counts', '10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
  ['trusted proxies in a row are passed', '10.1.2.3', '1.1.1.1, 198.51.100.1, 192.0.2.7,10.9.9.9', '198.51.100.1'],
  ['when all are trusted the first is the client', '10.1.2.3', '10.5.5.5, 10.9.9.9', '10.5.5.5'],
  ['what is no address ends the search at the proxy that wrote it', '10.1.2.3', '1.1.1.1, unknown', '10.1.2.3'],
  ['an octal spelling is no address', '10.1.2.3', '1.1.1.1, 0300.0.2.1', '10.1.2.3'],
  ['an empty header changes nothing', '10.1.2.3', '', '10.1.2.3'],
  ['IPv4 that comes as IPv6 is IPv4', '::ffff:10.1.2.3', '::ffff:198.51.100.1', '198.51.100.1'],
  ['IPv6 has one spelling', '2001:db8:ffff::1', '2001:DB8:0:0::0001', '2001:db8::1'],
])('%s', ([, peer, forwardedFor, expected]) => {
  expect(createAddressReader(TRUSTED)(peer, forwardedFor)).toBe(expected);
});

test('a request without a socket comes from a constant address', async () => {
  expect(createAddressReader(TRUSTED)(undefined, '198.51.100.1')).toBe('0.0.0.0');
  const app = new Hono().get('/', setClientAddress([]), (c) => c.text(c.get('clientAddress')));
  expect(await (await app.request('/')).text()).toBe('0.0.0.0');
});

test('IPv6 is limited by its /64, IPv4 by itself', () => {
  expect(networkOf('198.51.100.1')).toBe('198.51.100.1');
  expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
  expect(networkOf('2001:db8:1:2:ffff::')).toBe(networkOf('2001:db8:1:2:3:4:5:6'));
  expect(networkOf('2001:db8:1:3::')).not.toBe(networkOf('2001:db8:1:2::'));
});

test('a network is an address or a prefix of some addresses, never of all', () => {
  for (const text of ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'])
    expect([text, isNetwork(text)]).toEqual([text, true]);
  for (const text of [
    '',
    'proxy.internal',
    '10.0.0',
    '10.0.0.0/33',
    '0.0.0.0/0',
    '::/0',
    '::ffff:10.0.0.0/104',
    '10.0.0.1:80',
  ])
    expect([text, isNetwork(text)]).toEqual([text, false]);
});

test('over a real socket X-Forwarded-For counts only from a trusted proxy', async () => {
  const ask = async (trusted: readonly string[], forwardedFor: string) => {
    const app = new Hono().get('/', setClientAddress(trusted), (c) => c.text(c.get('clientAddress')));
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }) as Server;
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return await (await fetch(url, { headers: { 'x-forwarded-for': forwardedFor } })).text();
  };
  expect(await ask([], '198.51.100.1')).toBe('127.0.0.1');
  expect(await ask(['10.0.0.0/8'], '198.51.100.1, 10.0.0.1')).toBe('127.0.0.1');
  expect(await ask(['127.0.0.0/8'], '8.8.8.8, 198.51.100.1')).toBe('198.51.100.1');
});
