import { compareTables } from '../data/drift-compare.ts';
import { describeTables } from '../data/drift-tables.ts';
import { withDuckDb } from '../lib/duckdb.ts';

// usage: drift-ours.ts <folder> <DuckDB's memory>; prints one JSON line. A process of its own, so that its peak memory is its own.
const [folder, memoryLimit] = process.argv.slice(2) as [string, string];
const started = performance.now();
const tables = { reference: `${folder}/reference.parquet`, current: `${folder}/current.parquet` };
const settings = { ignore: [], columns: {}, drift_share: 0.5, correction: 'none', min_rows: 100 } as const;
const report = await withDuckDb({ memoryLimit, tempDir: folder, threads: 2 }, async (db) => {
  const { columns } = await describeTables(db, tables, settings.ignore);
  const roles = columns.map((column) => ({ ...column, role: 'feature' as const }));
  return await compareTables(db, tables, roles, settings);
});
const columns = report.columns.map(({ column, method, score, drifted }) => ({ column, method, score, drifted }));
const seconds = (performance.now() - started) / 1000;
console.log(JSON.stringify({ columns, seconds, peak_kib: process.resourceUsage().maxRSS }));
