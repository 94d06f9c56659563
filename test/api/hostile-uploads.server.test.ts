import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync, deflateRawSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { processorMs } from '../processor-time.ts';
import { createFileDoor } from '../../data/file-door.ts';
import { withDuckDb } from '../../lib/duckdb.ts';
import { listenHttp } from '../../lib/http/listen.ts';
import { createLimitedProcesses } from '../../lib/limited-process.ts';
import { columnsOf, editFooter, listOf, rowGroups, setNumber, withFooter, type ThriftStruct } from '../data/parquet-footer.ts'; // prettier-ignore
import { createTestApp, problemOf, type ProblemBody } from './doubles.ts';

const MB = 2 ** 20;
/** The bars; the first is of a machine that has nothing else to do. */
const ANSWER_MS = 2000;
const GROWTH_BYTES = 100e6;

const CSV = 'text/csv';
const NDJSON = 'application/x-ndjson';
const PARQUET = 'application/vnd.apache.parquet';

/** A real Parquet file of what a SELECT answers. */
async function parquet(select: string, options = ''): Promise<Buffer> {
  const file = join(tmpdir(), `anneal-hostile-${process.pid}-${Math.random()}.parquet`);
  await withDuckDb({ memoryLimit: '500MB', tempDir: tmpdir() }, (db) =>
    db.run(`COPY (${select}) TO '${file}' (FORMAT parquet${options})`),
  );
  const bytes = await readFile(file);
  await rm(file);
  return bytes;
}

async function door() {
  // Limited by what a file is, not by what else the machine does.
  const processes = createLimitedProcesses({ concurrent: 2, waiting: 32 });
  const fileDoor = createFileDoor((work, input, signal) => processes({ ...work, timeoutMs: 120_000 }, input, signal));
  const api = createTestApp({ maxUploadBytes: 2 ** 30, fileDoor });
  const server = await listenHttp({ fetch: api.app.fetch, host: '127.0.0.1', port: 0, variable: 'API_PORT' });
  onTestFinished(() => server.close());
  const send = (type: string, body: Buffer | string | ReadableStream<Uint8Array>, headers = {}) =>
    fetch(`http://127.0.0.1:${server.port}/api/v1/datasets?name=churn`, {
      method: 'POST',
      body: body as ReadableStream<Uint8Array>,
      ...(body instanceof ReadableStream ? { duplex: 'half' as const } : {}),
      headers: { 'content-type': type, authorization: 'Bearer ada', ...headers },
    });
  return { api, send };
}

/** Sends a file and expects it to be turned away within the bars, with nothing left. */
async function expectRefused(type: string, body: Buffer | string | ReadableStream<Uint8Array>, rule: string) {
  const { api, send } = await door();
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20);
  const [started, worked] = [performance.now(), processorMs(process.pid)];
  const response = await send(type, body);
  const problem = (await response.json()) as ProblemBody;
  const tookMs = performance.now() - started;
  const ownMs = Math.min(tookMs, processorMs(process.pid) - worked);
  clearInterval(watch);
  expect(problem).toMatchObject({ status: 422, code: 'INVALID', errors: [{ path: 'body', rule }] });
  expect(problem.errors).toHaveLength(1);
  expect(JSON.stringify(problem)).not.toMatch(/\/tmp|read_parquet|Error|\.ts/);
  expect(ownMs).toBeLessThan(ANSWER_MS);
  expect(tookMs).toBeLessThan(30 * ANSWER_MS);
  expect(peak - before).toBeLessThan(GROWTH_BYTES);
  expect(api.datasets.rows.size).toBe(0);
  await expect.poll(api.leftovers, { timeout: 60_000 }).toEqual([]);
}

/** `bytes` in chunks of 64 KB, made as they are read. */
function streamOf(bytes: number, chunk: Buffer): ReadableStream<Uint8Array> {
  return ReadableStream.from(
    (async function* () {
      for (let sent = 0; sent < bytes; sent += chunk.length) {
        await new Promise((resolve) => setImmediate(resolve));
        yield chunk;
      }
    })(),
  );
}

const zeros = gzipSync(Buffer.alloc(100 * MB)); // 100 KB that would unpack to 100 MB

test.each<[string, string, Buffer | string, string]>([
  ['a gzip bomb as CSV', CSV, zeros, 'plain_text'],
  ['a gzip bomb as NDJSON', NDJSON, zeros, 'plain_text'],
  ['a gzip bomb as Parquet', PARQUET, zeros, 'parquet'],
  ['a zip bomb', CSV, Buffer.concat([Buffer.from('PK\x03\x04'), deflateRawSync(Buffer.alloc(10 * MB))]), 'plain_text'],
  ['zstd', CSV, zstdCompressSync(Buffer.from('a,b\n1,2\n')), 'plain_text'],
  ['xz', CSV, Buffer.from('fd377a585a000004e6d6b446', 'hex'), 'plain_text'],
  ['bzip2', CSV, Buffer.from('BZh91AY&SY\x01\x02', 'latin1'), 'plain_text'],
  ['7z', CSV, Buffer.from('377abcaf271c0004', 'hex'), 'plain_text'],
  ['an ELF program', NDJSON, Buffer.from('7f454c46020101', 'hex'), 'plain_text'],
  ['a PDF', CSV, '%PDF-1.7\n%more', 'plain_text'],
  ['UTF-16 text', CSV, Buffer.from('\ufeffa,b\n1,2\n', 'utf16le'), 'utf8'],
  ['NUL bytes far inside', CSV, Buffer.concat([Buffer.from('a,b\n1,2\n'.repeat(MB / 4)), Buffer.from('3,\x004\n')]), 'plain_text'], // prettier-ignore
  ['Latin-1 text', CSV, Buffer.from('city\nZürich\n', 'latin1'), 'utf8'],
  ['a character broken off by a wrong byte', CSV, Buffer.from('a\n\xe2\x82x\n', 'latin1'), 'utf8'],
  ['a line of 9 MB as CSV', CSV, `a,b\n1,${'x'.repeat(9 * MB)}\n`, 'line_size'],
  ['a deep line of NDJSON', NDJSON, `{"a":${'['.repeat(65)}${']'.repeat(65)}}\n`, 'depth'],
  ['a million brackets', NDJSON, `{"ok":1}\n${'['.repeat(MB)}`, 'depth'],
  ['text as Parquet', PARQUET, 'a,b\n1,2\n', 'parquet'],
  ['nothing but the magic', PARQUET, 'PAR1PAR1', 'parquet'],
])('%s is turned away', async (_, type, body, rule) => {
  await expectRefused(type, body, rule);
});

test('a line without an end is turned away long before it ends', async () => {
  await expectRefused(CSV, streamOf(512 * MB, Buffer.alloc(65_536, 'x')), 'line_size');
});

test('the message of Latin-1 text names its line', async () => {
  const { send } = await door();
  const response = await send(CSV, Buffer.from('city\nBern\nZürich\nBern\n', 'latin1'));
  expect((await problemOf(response)).detail).toBe('the file is not UTF-8 text (line 3)');
});

const table = await parquet(`SELECT i AS a, 'x' || i AS b FROM range(20000) AS t(i)`, ', ROW_GROUP_SIZE 10000');
const edited = (edit: (metadata: ThriftStruct) => void) => editFooter(table, edit);
const chunk = (metadata: ThriftStruct, group = 0, column = 0) => columnsOf(rowGroups(metadata)[group]!)[column]!;

test('Parquet passes as it was written, and after its footer was written again', async () => {
  const { send } = await door();
  expect((await send(PARQUET, table)).status).toBe(201);
  expect(
    (
      await send(
        PARQUET,
        edited(() => {}),
      )
    ).status,
  ).toBe(201);
});

const nothing = Buffer.alloc(0);
const footerLength = (length: number) => {
  const bytes = Buffer.from(table);
  bytes.writeUInt32LE(length, bytes.length - 8);
  return bytes;
};

test.each<[string, () => Buffer, string]>([
  ['sent as Parquet but cut off', () => table.subarray(0, table.length - 200), 'parquet'],
  ['with a footer of 4 GB', () => footerLength(0xffff_ffff), 'footer_size'],
  ['with a footer longer than the file', () => footerLength(table.length), 'footer_size'],
  ['with a footer that begins elsewhere', () => footerLength(10), 'parquet'],
  ['with noise as footer', () => withFooter(table.subarray(0, 1000), Buffer.alloc(5000, 0x7f)), 'parquet'],
  ['with an empty footer', () => withFooter(Buffer.from('PAR1'), nothing), 'parquet'],
  ['with a list of 2 billion columns', () => withFooter(Buffer.from('PAR1'), Buffer.from('1502' + '19fcffffffff07' + '00'.repeat(64), 'hex')), 'parquet'],
  ['with 16 MB of empty columns', () => withFooter(Buffer.from('PAR1'), Buffer.concat([Buffer.from('150219fc' + '80808007', 'hex'), Buffer.alloc(15 * MB)])), 'memory'],
  ['with more rows than its groups', () => edited((m) => setNumber(m, 3, 2 ** 31)), 'row_count'],
  ['with more rows than there are atoms', () => edited((m) => setNumber(m, 3, 2n ** 62n)), 'parquet'],
  ['with a negative number of rows', () => edited((m) => setNumber(m, 3, -1)), 'parquet'],
  ['with a row group of a billion rows', () => edited((m) => setNumber(rowGroups(m)[0]!, 3, 1e9)), 'row_count'],
  ['whose rows and row groups lie alike', () => edited((m) => { setNumber(rowGroups(m)[0]!, 3, 1e9); setNumber(m, 3, 1e9 + Number(rowGroups(m)[1]!.get(3)!.value)); }), 'parquet'],
  ['with a page behind the end', () => edited((m) => setNumber(chunk(m), 9, 1e12)), 'offsets'],
  ['with a page before the start', () => edited((m) => setNumber(chunk(m), 9, -4)), 'offsets'],
  ['with a column larger than the file', () => edited((m) => setNumber(chunk(m), 7, 1e12)), 'offsets'],
  ['with sizes near 2^63', () => edited((m) => setNumber(chunk(m), 7, 2n ** 63n - 1n)), 'offsets'],
  ['whose columns overlap', () => edited((m) => { for (const g of rowGroups(m)) for (const c of columnsOf(g)) { setNumber(c, 9, 4); c.delete(11); setNumber(c, 7, table.length - 2000); } }), 'offsets'],
  ['that says it would unpack to a terabyte', () => edited((m) => setNumber(chunk(m), 6, 2 ** 40)), 'compression'],
  ['without a column of a row group', () => edited((m) => void listOf(rowGroups(m)[1]!, 1).items.pop()), 'parquet'],
])('Parquet %s is turned away', async (_, make, rule) => {
  await expectRefused(PARQUET, make(), rule);
}); // prettier-ignore

test('Parquet with more row groups than the format can number is turned away', async () => {
  const many = edited((metadata) => {
    const groups = rowGroups(metadata);
    groups.push(...Array<ThriftStruct>(33_000).fill(groups[0]!));
  });
  await expectRefused(PARQUET, many, 'max_row_groups');
});

test('Parquet with more columns than anybody reads is turned away', async () => {
  const columns = Array.from({ length: 10_001 }, (_, i) => `1 AS c${i}`).join(', ');
  await expectRefused(PARQUET, await parquet(`SELECT ${columns}`), 'max_columns');
});

test('good compression is no bomb: a constant column of 20 million rows passes', async () => {
  const { send } = await door();
  const constant = await parquet(`SELECT 7 AS a FROM range(20000000)`, ', ROW_GROUP_SIZE 5000000');
  expect(constant.length).toBeLessThan(MB);
  expect((await send(PARQUET, constant)).status).toBe(201);
});

test('Parquet files that come at once all pass, a few at a time', async () => {
  const { send } = await door();
  const answers = await Promise.all(Array.from({ length: 5 }, () => send(PARQUET, table)));
  expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(201));
});

test.each(['gzip', 'br', 'deflate', 'identity, gzip'])(
  'an upload with Content-Encoding %s is 415',
  async (encoding) => {
    const { api, send } = await door();
    const response = await send(CSV, gzipSync('a,b\n1,2\n'), { 'content-encoding': encoding });
    expect(response.status).toBe(415);
    expect(api.datasets.rows.size).toBe(0);
  },
);

test('brackets and NULs in escapes are text, and line ends of every kind end a line', async () => {
  const { send } = await door();
  const quoted = `{"a":"${'['.repeat(500)}\\"${'{'.repeat(500)}\\u0000"}\n`;
  expect((await send(NDJSON, quoted)).status).toBe(201);
  expect((await send(CSV, 'a,b\r1,2\r'.repeat(2 * MB))).status).toBe(201);
});

test('text whose characters are cut by the chunks passes', async () => {
  const { send } = await door();
  const bytes = Buffer.from('city,x\nZürich €,😀\n'.repeat(50));
  const body = ReadableStream.from(Array.from(bytes, (byte) => Buffer.of(byte)));
  expect((await send(CSV, body)).status).toBe(201);
});
