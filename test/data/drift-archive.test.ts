import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { WindowRow } from '../../activities/drift-window.ts';
import { writeWindowArchive } from '../../data/drift-archive.ts';
import { quoteText, withDuckDb } from '../../lib/duckdb.ts';
import type { InputColumn } from '../../ml/features.ts';
import { limits, testFolder } from './examples.ts';

const INPUTS: InputColumn[] = [
  { name: 'age', type: 'numeric', nullable: true },
  { name: 'city', type: 'categorical_string', nullable: true },
  { name: 'plan', type: 'categorical_integer', nullable: true },
  { name: 'member', type: 'boolean', nullable: true },
  { name: 'decision', type: 'categorical_string', nullable: true },
];
const row = (features: WindowRow['features'], changes: Partial<WindowRow> = {}): WindowRow => ({
  id: '01a1ff8d-22bf-784f-bfe5-949d3e9ae69e',
  created_at: '2026-11-21T18:00:00.123Z',
  features,
  probability: 0.1 + 0.2,
  label: 'false',
  decision: 'STAY',
  ...changes,
});

async function archiveOf(rows: readonly WindowRow[], inputs = INPUTS) {
  const folder = await testFolder();
  const [rowsFile, path] = [join(folder, 'rows.ndjson'), join(folder, 'window.parquet')];
  await writeFile(rowsFile, rows.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const written = await writeWindowArchive({ rowsFile, inputs, path }, limits(folder));
  const read = (select: string) =>
    withDuckDb(limits(folder), (db) => db.rows(`SELECT ${select} FROM ${quoteText(path)}`));
  return { written, read, bytes: await readFile(path) };
}

test('a prediction keeps its values in the types of the model; what is absent is null', async () => {
  const { written, read } = await archiveOf([
    row({ age: 0.1, city: '12', plan: 9007199254740991, member: true, decision: 'é "quoted"\n' }, { entity: 'c-1' }),
    row({ age: null }, { created_at: '2026-11-21T19:00:00+01:00' }),
  ]);
  expect(written).toBe(2);
  expect(await read('* REPLACE (epoch_ms(created_at)::DOUBLE AS created_at)')).toEqual([
    {
      id: '01a1ff8d-22bf-784f-bfe5-949d3e9ae69e',
      created_at: Date.parse('2026-11-21T18:00:00.123Z'),
      age: Math.fround(0.1),
      city: '12',
      plan: '9007199254740991',
      member: true,
      decision: 'é "quoted"\n',
      probability: 0.1 + 0.2,
      label: 'false',
      decision_: 'STAY',
      entity: 'c-1',
    },
    {
      id: '01a1ff8d-22bf-784f-bfe5-949d3e9ae69e',
      created_at: Date.parse('2026-11-21T18:00:00Z'),
      age: null,
      city: null,
      plan: null,
      member: null,
      decision: null,
      probability: 0.1 + 0.2,
      label: 'false',
      decision_: 'STAY',
      entity: null,
    },
  ]);
});

test('rows keep their order, and the same rows make the same bytes', async () => {
  const rows = Array.from({ length: 5000 }, (_, index) => row({ age: index, city: `c${index % 7}` }));
  const archive = await archiveOf(rows);
  const ages = (await archive.read('age')).map(({ age }) => age);
  expect(ages).toEqual(rows.map(({ features }) => features.age));
  expect((await archiveOf(rows)).bytes.equals(archive.bytes)).toBe(true);
});
