import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { createFileDoor } from '../../data/file-door.ts';
import { fetchSource, type SourceDeps } from '../../data/sources.ts';
import { makeTypedTable } from '../../data/typed-table.ts';
import { createFolderStore } from '../../lib/artifact-store/folder.ts';
import { createOutgoingFetch } from '../../lib/http/outgoing.ts';
import { csv, limits, shopDefinition, shopRows, testFolder } from './examples.ts';

const rows = csv(shopRows(400));
const sha256 = createHash('sha256').update(rows).digest('hex');
const notAsked = () => Promise.reject(new Error('not asked'));

/** A source on a real local server, as a worker reads it. */
async function source(answer: http.RequestListener, changes: Partial<SourceDeps> = {}) {
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const folder = await testFolder();
  const file = join(folder, 'source');
  const deps: SourceDeps = {
    store: createFolderStore(join(folder, 'store')),
    getDataset: notAsked,
    databases: {},
    fetch: createOutgoingFetch({ hosts: [host], privateAddresses: true }),
    fileDoor: createFileDoor(),
    maxBytes: 1_000_000,
    ...changes,
  };
  const read = (path = '/rows', more: { format?: 'csv' | 'parquet' | 'ndjson'; sha256?: string } = {}, signal?: AbortSignal) =>
    fetchSource({ kind: 'url', url: `http://${host}${path}`, format: 'csv', ...more }, deps, file, signal); // prettier-ignore
  return { read, file, folder };
}
const refused = (rule: string, path = 'source.url') => ({ code: 'INVALID', details: [{ path, rule }] });

test('a URL becomes a file, and its rows a typed table', async () => {
  const { read, file, folder } = await source((_, response) => response.end(rows));
  expect(await read('/rows', { sha256 })).toEqual({ file, format: 'csv' });
  expect(await readFile(file, 'utf8')).toBe(rows);
  const table = { definition: shopDefinition(), file, format: 'csv', parquetPath: join(folder, 't') } as const;
  await expect(makeTypedTable({ ...table, duckdb: limits(folder) })).resolves.toMatchObject({ rows: 400 });
});

test('other bytes than the expected ones are refused, with both hashes', async () => {
  const { read } = await source((_, response) => response.end(`${rows}9`));
  const wrong = read('/rows', { sha256 });
  await expect(wrong).rejects.toMatchObject(refused('sha256', 'source.sha256'));
  await expect(wrong).rejects.toThrow(sha256);
});

test.each([
  [404, 'INVALID'],
  [403, 'INVALID'],
  [204, 'INVALID'],
  [304, 'INVALID'],
  [429, 'UNAVAILABLE'],
  [500, 'UNAVAILABLE'],
  [503, 'UNAVAILABLE'],
])('status %i is %s', async (status, code) => {
  const { read } = await source((_, response) => response.writeHead(status).end());
  await expect(read()).rejects.toMatchObject({ code, message: expect.stringContaining(String(status)) as string });
});

test.each([
  ['announced', (response: http.ServerResponse) => response.writeHead(200, { 'content-length': 2_000_000 }).write('a')],
  ['in chunks', (response: http.ServerResponse) => Readable.from(lines()).pipe(response)],
])('an answer that is too large, %s, is TOO_LARGE', async (_, answer) => {
  const { read, file } = await source((_, response) => void answer(response));
  await expect(read()).rejects.toMatchObject({
    code: 'TOO_LARGE',
    details: [{ path: 'source.url', rule: 'max_bytes' }],
  });
  expect((await readFile(file).catch(() => Buffer.alloc(0))).length).toBeLessThanOrEqual(1_000_000);
});

function* lines() {
  for (;;) yield '1,2\n'.repeat(10_000);
}

test.each([
  ['gzip as CSV', gzipSync(rows), 'csv', 'plain_text'],
  ['CSV as Parquet', rows, 'parquet', 'parquet'],
  ['cut-off Parquet', 'PAR1aaaaaaaaaaaaaaa', 'parquet', 'parquet'],
  ['deep NDJSON', `{"a":${'['.repeat(100)}`, 'ndjson', 'depth'],
  ['nothing', '', 'csv', 'not_empty'],
] as const)('%s is refused as an upload would be', async (_, body, format, rule) => {
  const { read } = await source((_, response) => response.end(body));
  await expect(read('/rows', { format })).rejects.toMatchObject(refused(rule));
});

test('an answer that breaks off is worth another attempt', async () => {
  const { read } = await source((_, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('a,b\n', () => response.destroy());
  });
  await expect(read()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('an answer that drips for ever is given up', async () => {
  const { read } = await source(
    (_, response) => {
      const drip = setInterval(() => response.write('1,2\n'), 20);
      response.on('close', () => clearInterval(drip));
    },
    { timeoutMs: 300 },
  );
  await expect(read()).rejects.toMatchObject(refused('time'));
});

test('a cancelled run stops reading', async () => {
  const { read } = await source((_, response) => void response.write('a,b\n'));
  const cancelling = new AbortController();
  const reading = read('/rows', {}, cancelling.signal);
  setTimeout(() => cancelling.abort(new Error('cancelled')), 50);
  await expect(reading).rejects.toThrow('cancelled');
});

test('a redirect to a host that is not allowed is refused, and so is a host that is not', async () => {
  const { read } = await source((_, response) => response.writeHead(302, { location: 'http://127.0.0.2/' }).end());
  await expect(read()).rejects.toMatchObject(refused('allowed'));
  const other = await source((_, response) => response.end(rows), {
    fetch: createOutgoingFetch({ hosts: ['*.example.org'], privateAddresses: true }),
  });
  await expect(other.read()).rejects.toMatchObject(refused('allowed'));
});

test('without OUTGOING_PRIVATE_ADDRESSES a local server is not asked', async () => {
  let asked = 0;
  const closed = await source((_, response) => void (asked++, response.end(rows)), {
    fetch: createOutgoingFetch({ hosts: ['127.0.0.1'], privateAddresses: false }),
  });
  await expect(closed.read()).rejects.toMatchObject(refused('scheme'));
  expect(asked).toBe(0);
});
