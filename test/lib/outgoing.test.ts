import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { checkOutgoingUrl, createOutgoingFetch, isPublicAddress } from '../../lib/http/outgoing.ts';

const field = 'source.url';
const open = (...hosts: string[]) => ({ hosts, privateAddresses: true });
const closed = (...hosts: string[]) => ({ hosts, privateAddresses: false });
const refused = (rule: string) => ({ code: 'INVALID', details: [{ path: field, rule }] });

/** A real server on the loopback; `seen` has every request line. */
async function serve(answer: http.RequestListener) {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.headers.host}${request.url}`);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { seen, port, host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}` };
}

test.each([
  ['data.example.org', 'https://data.example.org/a.csv?x=1'],
  ['DATA.example.org', 'https://data.EXAMPLE.org./a'],
  ['*.example.org', 'https://a.b.example.org/'],
  ['data.example.org:8443', 'https://data.example.org:8443/'],
  ['data.example.org', 'https://data.example.org:443/'],
  ['93.184.216.34', 'https://93.184.216.34/'],
])('with %s allowed, %s may be asked', (host, url) => {
  expect(checkOutgoingUrl(url, closed(host), field)).toBeInstanceOf(URL);
});

test.each([
  ['nothing allowed', '', 'https://data.example.org/', 'allowed'],
  ['another host', 'example.org', 'https://data.example.org/', 'allowed'],
  ['the domain itself under a wildcard', '*.example.org', 'https://example.org/', 'allowed'],
  ['a host that ends alike', '*.example.org', 'https://badexample.org/', 'allowed'],
  ['a host that begins alike', 'example.org', 'https://example.org.evil.test/', 'allowed'],
  ['a host as user name', 'example.org', 'https://example.org@evil.test/', 'credentials'],
  ['a host before a backslash', 'example.org', 'https://evil.test\\@example.org/', 'allowed'],
  ['another port', 'example.org', 'https://example.org:8443/', 'allowed'],
  ['a password', 'example.org', 'https://u:p@example.org/', 'credentials'],
  ['http', 'example.org', 'http://example.org/', 'scheme'],
  ['a file', 'example.org', 'file:///etc/passwd', 'scheme'],
  ['ftp', 'example.org', 'ftp://example.org/', 'scheme'],
  ['gopher', 'example.org', 'gopher://example.org/', 'scheme'],
  ['data', 'example.org', 'data:text/csv,a', 'scheme'],
  ['no URL', 'example.org', '//example.org/', 'url'],
  ['a very long URL', 'example.org', `https://example.org/${'x'.repeat(3000)}`, 'url'],
  ['loopback that somebody allowed', '127.0.0.1', 'https://127.0.0.1/', 'address'],
  ['loopback in hex', '127.0.0.1', 'https://0x7f000001/', 'address'],
  ['loopback in octal', '127.0.0.1', 'https://0177.1/', 'address'],
  ['IPv6 loopback', '[::1]', 'https://[::1]/', 'address'],
  ['the metadata service', '169.254.169.254', 'https://169.254.169.254/latest', 'address'],
])('%s is refused', (_, host, url, rule) => {
  expect(() => checkOutgoingUrl(url, closed(host), field)).toThrow(
    expect.objectContaining({ code: 'INVALID', details: [expect.objectContaining({ path: field, rule })] }) as Error,
  );
});

test.each(['8.8.8.8', '2606:4700:4700::1111', '::ffff:8.8.8.8'])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.0.9', '169.254.169.254', '172.16.0.1', '192.0.0.8'],
  ...['192.0.2.1', '192.168.1.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1'],
  ...[
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::127.0.0.1',
    '::7f00:1',
    '64:ff9b::7f00:1',
  ],
  ...['64:ff9b:1::a00:1', '100::1', '2001::1', '2001:db8::1', '2002:7f00:1::', 'fc00::1', 'fd00:ec2::254', 'fe80::1'],
  ...['fe80::1%eth0', 'fec0::1', 'ff02::1', '::ffff:0:127.0.0.1', '127.1', '0x7f.1', '', 'localhost'],
])('%s is not public', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});

test('an answer streams from an allowed host', async () => {
  const server = await serve((_, response) => response.end('a,b\n1,2\n'));
  const answer = await createOutgoingFetch(open(server.host))(`${server.url}/rows.csv`, { field });
  expect([answer.status, await text(answer.body)]).toEqual([200, 'a,b\n1,2\n']);
  expect(server.seen).toEqual([`GET ${server.host}/rows.csv`]);
});

test('a name is asked once, and the connection goes to the address that was checked', async () => {
  const server = await serve((_, response) => response.end('here'));
  // The name of nobody: only the given answer leads to the server.
  const resolve = vi.fn().mockResolvedValueOnce(['127.0.0.1']).mockResolvedValue(['203.0.113.1']);
  const host = `data.invalid:${server.port}`;
  const answer = await createOutgoingFetch(open(host))(`http://${host}/`, { field, resolve });
  expect(await text(answer.body)).toBe('here');
  expect(resolve.mock.calls).toEqual([['data.invalid']]);
  expect(server.seen).toEqual([`GET ${host}/`]);
});

test.each([
  ['a private address', ['10.0.0.1']],
  ['a public and a private one', ['8.8.8.8', '127.0.0.1']],
  ['an IPv6 address that holds a private one', ['::ffff:192.168.0.1']],
  ['something that is no address', ['localhost']],
])('a host with %s is refused before anything is sent', async (_, addresses) => {
  const call = createOutgoingFetch(closed('data.example.org'));
  const asked = call('https://data.example.org/', { field, resolve: () => Promise.resolve(addresses) });
  await expect(asked).rejects.toMatchObject(refused('address'));
});

test('a host whose address turns private between two requests is refused at the second', async () => {
  const resolve = vi.fn().mockResolvedValueOnce(['8.8.8.8']).mockResolvedValue(['127.0.0.1']);
  const call = createOutgoingFetch(closed('data.example.org'));
  const leaving = AbortSignal.abort(new Error('not really sent'));
  await expect(call('https://data.example.org/', { field, resolve, signal: leaving })).rejects.toThrow(
    'not really sent',
  );
  await expect(call('https://data.example.org/', { field, resolve })).rejects.toMatchObject(refused('address'));
});

test('a host without an address is UNAVAILABLE, and is not named', async () => {
  const resolve = () => Promise.reject(new Error('ENOTFOUND secret.example.org'));
  const asked = createOutgoingFetch(closed('*.example.org'))('https://secret.example.org/', { field, resolve });
  await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'the host of the URL has no address now' });
});

const redirect =
  (location: (path: string) => string, status = 302): http.RequestListener =>
  (request, response) =>
    request.url === '/end'
      ? response.end('end')
      : response.writeHead(status, { location: location(request.url!) }).end('moved');

test.each([301, 302, 303, 307, 308])('a redirect with %i is followed', async (status) => {
  const server = await serve(redirect(() => '/end', status));
  const answer = await createOutgoingFetch(open(server.host))(server.url, { field });
  expect(await text(answer.body)).toBe('end');
});

test.each([
  ['a host that is not allowed', () => 'http://127.0.0.2:1/', 'allowed'],
  ['another port of the host', () => 'http://127.0.0.1:1/', 'allowed'],
  ['a file', () => 'file:///etc/passwd', 'scheme'],
  ['a URL with a password', () => 'http://u:p@127.0.0.1/', 'credentials'],
  ['no URL', () => 'http://', 'redirects'],
  ['itself for ever', (path: string) => `${path}x`, 'redirects'],
])('a redirect to %s is refused', async (_, location, rule) => {
  const server = await serve(redirect(location));
  const asked = createOutgoingFetch(open(server.host))(server.url, { field });
  await expect(asked).rejects.toMatchObject(refused(rule));
  expect(server.seen.length).toBe(rule === 'redirects' && location('/') === '/x' ? 4 : 1);
});

test('headers of ours do not follow to another host', async () => {
  const other = await serve((request, response) => response.end(JSON.stringify(request.headers)));
  const server = await serve(redirect(() => `${other.url}/end`));
  const answer = await createOutgoingFetch(open(server.host, other.host))(server.url, {
    field,
    headers: { 'x-signature': 'secret' },
  });
  expect(await text(answer.body)).not.toContain('secret');
});

test('a POST is sent with its body, and its redirect is refused', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/moved') response.writeHead(307, { location: '/' }).end();
    else void text(request).then((body) => response.end(`${request.method} ${body}`));
  });
  const call = createOutgoingFetch(open(server.host));
  const answer = await call(server.url, { field, method: 'POST', body: '{"a":1}' });
  expect(await text(answer.body)).toBe('POST {"a":1}');
  await expect(call(`${server.url}/moved`, { field, method: 'POST', body: 'x' })).rejects.toMatchObject(
    refused('redirects'),
  );
});

test('a host that never answers, or never finishes a redirect, is UNAVAILABLE in time', async () => {
  const silent = await serve(() => {});
  const call = createOutgoingFetch(open(silent.host));
  await expect(call(silent.url, { field, answerTimeoutMs: 100 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(call(silent.url, { field, idleTimeoutMs: 100 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('an answer that falls silent fails', async () => {
  const server = await serve((_, response) => void response.write('a,b\n'));
  const answer = await createOutgoingFetch(open(server.host))(server.url, { field, idleTimeoutMs: 3000 });
  await expect(text(answer.body)).rejects.toThrow();
});

test('a caller that leaves ends the request, before and within the answer', async () => {
  const server = await serve((request, response) => void (request.url === '/body' && response.write('a')));
  const call = createOutgoingFetch(open(server.host));
  const first = new AbortController();
  const waiting = call(server.url, { field, signal: first.signal });
  first.abort(new Error('left'));
  await expect(waiting).rejects.toThrow('left');
  const second = new AbortController();
  const answer = await call(`${server.url}/body`, { field, signal: second.signal });
  second.abort(new Error('left'));
  await expect(text(answer.body)).rejects.toMatchObject({ name: 'AbortError' });
});

test('no message repeats the URL', async () => {
  const url = 'https://user:hunter2@evil.test/token?key=hunter2';
  const asked = createOutgoingFetch(closed('example.org'))(url, { field });
  const error = await asked.catch((reason: unknown) => reason as Error);
  expect(JSON.stringify({ error, message: (error as Error).message })).not.toMatch(/hunter2|evil/);
});
