import { makeTypedTable } from '../data/typed-table.ts';
import { prepareMatrices } from '../data/prepare.ts';
import { ingestDefinition } from './ingest-data.ts';

// usage: ingest-ours.ts <csv> <folder>; prints one JSON line. A process of its own, so that its peak memory is its own.
const [file, folder] = process.argv.slice(2) as [string, string];
const duckdb = { memoryLimit: '120MB', tempDir: folder };
const parquetPath = `${folder}/table.parquet`;
await makeTypedTable({ definition: ingestDefinition, file, format: 'csv', parquetPath, duckdb });
const { rows } = await prepareMatrices({ definition: ingestDefinition, parquetPath, outDir: folder, duckdb });
console.log(JSON.stringify({ rows, peak_kib: process.resourceUsage().maxRSS }));
