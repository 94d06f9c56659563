import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFolderStore } from '../../lib/artifact-store/folder.ts';
import type { EmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { createFileDoor } from '../../data/file-door.ts';
import { copyQuery } from '../../data/sql-source.ts';
import { fetchSource } from '../../data/sources.ts';
import { startTestPostgres } from '../platform.ts';
import { testFolder } from './examples.ts';

let server: EmbeddedPostgres;
let admin: postgres.Sql;
beforeAll(async () => {
  server = await startTestPostgres();
  admin = postgres(server.url, { max: 1 });
  await admin`CREATE TABLE customers (id int, "Full name" text, member boolean, spent numeric)`;
  await admin`INSERT INTO customers VALUES (1, ${'a "b", c'}, true, 1.50), (2, '', false, NULL)`;
});
afterAll(async () => {
  await admin?.end();
  await server?.stop();
});

const query = async (text: string, timeoutMs?: number) => {
  const file = join(await testFolder(), 'rows');
  await copyQuery(server.url, { connection: 'shop', query: text }, file, timeoutMs);
  return await readFile(file, 'utf8');
};

test('a query becomes CSV with a header; booleans are true and false', async () => {
  expect(await query('SELECT * FROM customers ORDER BY id -- all')).toBe(
    'id,Full name,member,spent\n1,"a ""b"", c",true,1.50\n2,"",false,\n',
  );
});

const notAsked = () => Promise.reject(new Error('not asked'));
const noUrls = { fetch: notAsked, fileDoor: createFileDoor(), maxBytes: 1 };

test('a source names its connection; one that is not allowed is refused without its URL', async () => {
  const folder = await testFolder();
  const store = createFolderStore(join(folder, 'store'));
  const deps = { ...noUrls, store, databases: { shop: server.url }, getDataset: notAsked };
  const source = { kind: 'sql', connection: 'shop', query: 'SELECT 1 AS one' } as const;
  const fetched = await fetchSource(source, deps, join(folder, 'rows'));
  expect(fetched).toEqual({ file: join(folder, 'rows'), format: 'csv' });
  expect(await readFile(fetched.file, 'utf8')).toBe('one\n1\n');
  const refused = fetchSource({ ...source, connection: 'other' }, deps, join(folder, 'none'));
  await expect(refused).rejects.toMatchObject({
    code: 'INVALID',
    message: "connection 'other' is not in the allow-list SOURCE_DATABASES",
  });
});

test.each([
  ['a write', 'DELETE FROM customers RETURNING *'],
  ['a write inside WITH', 'WITH gone AS (DELETE FROM customers RETURNING *) SELECT * FROM gone'],
  ['a second statement', 'SELECT 1) AS a; COMMIT; DELETE FROM customers; SELECT * FROM (SELECT 2'],
  ['a closed parenthesis', "SELECT 1) TO PROGRAM 'touch anneal-was-here' --"],
  ['an unknown table', 'SELECT * FROM nowhere'],
])('%s is refused and changes nothing', async (_, text) => {
  await expect(query(text)).rejects.toMatchObject({
    code: 'INVALID',
    message: expect.stringContaining("query on 'shop' failed") as string,
  });
  expect(await admin`SELECT count(*)::int AS rows FROM customers`).toEqual([{ rows: 2 }]);
});

test('a query that takes too long is ended', async () => {
  await expect(query('SELECT pg_sleep(30)', 200)).rejects.toMatchObject({
    code: 'INVALID',
    message: "the query on 'shop' took longer than 0.2 s",
  });
});

test('a server that cannot be reached is UNAVAILABLE, and its address is not told', async () => {
  const file = join(await testFolder(), 'rows');
  const url = 'postgres://someone:secret@127.0.0.1:1/nowhere';
  await expect(copyQuery(url, { connection: 'shop', query: 'SELECT 1' }, file)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: "database 'shop' could not be read",
  });
});

test('a dataset and an object come from the store in their format', async () => {
  const folder = await testFolder();
  const store = createFolderStore(join(folder, 'store'));
  const bytes = Buffer.from('{"a":1}\n');
  const { sha256 } = await store.put(bytes);
  expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  const getDataset = () => Promise.resolve({ sha256, format: 'ndjson' as const });
  const deps = { ...noUrls, store, databases: {}, getDataset };
  const id = 'ds_20260101T000000Z_0123456789ab';
  const dataset = await fetchSource({ kind: 'dataset', dataset_version: id }, deps, join(folder, 'dataset'));
  expect(dataset.format).toBe('ndjson');
  expect(await readFile(dataset.file)).toEqual(bytes);
});
