import { quoteText, withDuckDb } from '../lib/duckdb.ts';

// usage: drift-data.ts <folder> <rows>; writes reference.parquet and current.parquet, the same bytes each time.
const [folder, rows] = process.argv.slice(2) as [string, string];

const CATEGORIES = [3, 5, 8, 12, 40, 300];
const NORMAL = 'sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random())';

/** Of 22 numeric columns in turn: a normal, a uniform, a count and an amount with a long tail. A third misses 5 %. */
function number(index: number, shift: number): string {
  const value = [
    `${NORMAL} + ${shift}`,
    `100 * random() + ${20 * shift}`,
    `floor(500 * random()) + ${90 * shift}`,
    `round(exp(1 + ${shift} + ${NORMAL}), 2)`,
  ][index % 4]!;
  return `${index % 3 === 2 ? `if(random() < 0.05, NULL, ${value})` : value} AS n${index}`;
}

/** 22 numeric, 6 categorical and 2 boolean columns. @param shift of every fifth numeric column, in about its deviations */
const columns = (shift: number) =>
  [
    ...Array.from({ length: 22 }, (_, index) => number(index, index % 5 === 0 ? shift : 0)),
    ...CATEGORIES.map((count, index) => {
      const level = `floor(${count} * random() ${shift > 0 && index === 4 ? '' : '* random()'})::INTEGER`;
      return `'level-' || ${level} AS c${index}`;
    }),
    'random() < 0.3 AS b0',
    `random() < ${0.3 + shift} AS b1`,
  ].join(', ');

await withDuckDb({ memoryLimit: '1GB', tempDir: folder, threads: 1 }, async (db) => {
  for (const [name, seed, shift] of [
    ['reference', 0.25, 0],
    ['current', 0.75, 0.3],
  ] as const) {
    await db.run(`SELECT setseed(${seed})`);
    const path = quoteText(`${folder}/${name}.parquet`);
    await db.run(`COPY (SELECT ${columns(shift)} FROM range(${rows})) TO ${path} (FORMAT parquet)`);
  }
});
