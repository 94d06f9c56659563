import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { busyWarning, report, shortfalls, type BenchOutcome } from './report.ts';

/** Loaded when asked for: a benchmark must not pay for another one's imports. */
const BENCHMARKS: Record<string, () => Promise<() => Promise<BenchOutcome>>> = {
  ingest: async () => (await import('./ingest.ts')).benchIngest,
  train: async () => (await import('./train.ts')).benchTrain,
};

const { positionals, values } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } });
const [name = ''] = positionals;
const load = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;

if (!load || positionals.length !== 1) {
  console.error(`usage: npm run bench -- <${Object.keys(BENCHMARKS).join(' | ')}> [--check]`);
  process.exitCode = 2;
} else {
  const warning = busyWarning();
  if (warning) console.error(warning);
  const outcome = await (await load())();
  await report(outcome, fileURLToPath(new URL(`results/${name}.json`, import.meta.url)));
  const missed = shortfalls(outcome);
  for (const line of missed) console.error(`falls short: ${line}`);
  if (values.check && missed.length > 0) process.exitCode = 1;
}
