import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { quoteName, quoteText, withDuckDb, type DuckDb } from '../../lib/duckdb.ts';

async function database<T>(work: (db: DuckDb, folder: string) => Promise<T>, memoryLimit = '100MB'): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-duckdb-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return await withDuckDb({ memoryLimit, tempDir: folder }, (db) => work(db, folder));
}

async function collect(db: DuckDb, sql: string) {
  const chunks: number[][][] = [];
  for await (const { columns } of db.chunks(sql)) chunks.push(columns.map((values) => [...values]));
  return chunks;
}

test('a large result is streamed in chunks of typed arrays, in order', async () => {
  const chunks = await database((db) => collect(db, 'SELECT i::FLOAT, (i % 7)::INTEGER FROM range(5000) t(i)'));
  expect(chunks.length).toBeGreaterThan(1);
  expect(chunks.flatMap(([first]) => first)).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  expect(chunks.flatMap(([, second]) => second)).toEqual(Array.from({ length: 5000 }, (_, i) => i % 7));
});

test.each([0, 63, 64, 69])('a null in row %i of a streamed column is an error, not a zero', async (row) => {
  const sql = `SELECT CASE WHEN i = ${row} THEN NULL ELSE i END::FLOAT FROM range(70) t(i)`;
  await expect(database((db) => collect(db, sql))).rejects.toThrow('nulls');
});

test('text cannot be streamed as numbers', async () => {
  await expect(database((db) => collect(db, `SELECT 'a' FROM range(3)`))).rejects.toThrow('VARCHAR');
});

test('what does not fit into the memory limit goes to the temporary folder, and is gone afterwards', async () => {
  let spilled: string[] = [];
  const { sum, left } = await database(async (db, folder) => {
    await db.run(`CREATE TABLE big AS SELECT hash(i) AS h, i FROM range(4_000_000) t(i)`);
    const sorted = db.run('CREATE TABLE sorted AS SELECT * FROM big ORDER BY h');
    const watch = setInterval(() => void readdir(folder).then((files) => (spilled = [...spilled, ...files])), 5);
    await sorted.finally(() => clearInterval(watch));
    const [row] = await db.rows<{ sum: string }>('SELECT sum(i) AS sum FROM sorted');
    return { sum: row!.sum, left: folder };
  }, '64MB');
  expect(sum).toBe(String((4_000_000 * 3_999_999) / 2));
  expect(spilled.length).toBeGreaterThan(0);
  expect(await readdir(left)).toEqual([]);
});

test('extensions that would be downloaded are off', async () => {
  const settings = await database((db) =>
    db.rows(`SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%_known_extensions' ORDER BY 1`),
  );
  expect(settings.map(({ value }) => value)).toEqual(['false', 'false']);
});

test('names and texts are quoted', async () => {
  const rows = await database((db) => db.rows(`SELECT ${quoteText(`it's`)} AS ${quoteName('a "b"')}`));
  expect(rows).toEqual([{ 'a "b"': `it's` }]);
});
