import { writeIngestCsv } from './ingest-data.ts';

// usage: ingest-csv.ts <file> <rows> <seed>. A process of its own: see requireOwnPeaks in ingest.ts.
const [file, rows, seed] = process.argv.slice(2) as [string, string, string];
await writeIngestCsv(file, Number(rows), Number(seed));
