import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { busyWarning, report, shortfalls, type BenchOptions, type BenchOutcome } from './report.ts';

/** Loaded when asked for: a benchmark must not pay for another one's imports. */
const BENCHMARKS: Record<string, () => Promise<(options: BenchOptions) => Promise<BenchOutcome>>> = {
  drift: async () => (await import('./drift.ts')).benchDrift,
  'drift-isolation': async () => (await import('./drift-worker-away.ts')).benchDriftWorkerAway,
  ingest: async () => (await import('./ingest.ts')).benchIngest,
  serving: async () => (await import('./serving.ts')).benchServing,
  'serving-ladder': async () => (await import('./serving-ladder.ts')).benchServingLadder,
  'serving-isolation': async () => (await import('./serving-isolation.ts')).benchServingIsolation,
  'training-workers': async () => (await import('./training-workers.ts')).benchTrainingWorkers,
  train: async () => (await import('./train.ts')).benchTrain,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean' }, quick: { type: 'boolean', default: false } },
});
const [name = ''] = positionals;
const load = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;

if (!load || positionals.length !== 1) {
  console.error(`usage: npm run bench -- <${Object.keys(BENCHMARKS).join(' | ')}> [--check] [--quick]`);
  process.exitCode = 2;
} else {
  const warning = busyWarning();
  if (warning) console.error(warning);
  const { quick } = values;
  const outcome = await (await load())({ quick });
  // What was measured in a hurry is not kept.
  await report(outcome, quick ? null : fileURLToPath(new URL(`results/${name}.json`, import.meta.url)));
  const missed = shortfalls(outcome);
  for (const line of missed) console.error(`falls short: ${line}`);
  if (values.check && missed.length > 0) process.exitCode = 1;
}
