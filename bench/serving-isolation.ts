import { type BenchOptions, type BenchOutcome, lessIsBetter } from './report.ts';
import { benchRows, lightModel } from './serving/data.ts';
import { loopDelayOf } from './serving/loop-delay.ts';
import { prepareLoad, requireWrk } from './serving/load.ts';
import { untilQuiet } from './serving/measure.ts';
import { latenciesOf, percentile } from './serving/open-loop.ts';
import { startOurPlatform } from './serving/ours.ts';
import { ask, type BenchServer } from './serving/server.ts';

const ENDPOINT = 'light';
const BATCH_ROWS = 10_000;
const CONNECTIONS = 8;
const SINGLES_PER_SECOND = 50;
const LOOP_DELAY_MS = 20;
const TIMES_IDLE = 3;

interface Sample {
  readonly loopDelayMs: number;
  readonly singleMs: number;
}

/**
 * What large batches cost those who send one row: 8 × 10,000 rows of JSON at once, again and again, beside 50 single rows
 * a second, which are sent whether or not the ones before are answered. Idle and loaded take turns in the same run.
 */
export async function benchServingIsolation({ quick }: BenchOptions): Promise<BenchOutcome> {
  await requireWrk();
  const { rounds, seconds } = quick ? { rounds: 1, seconds: 15 } : { rounds: 5, seconds: 20 };
  const ours = await startOurPlatform();
  try {
    const server = await ours.serve(ENDPOINT, lightModel());
    const batches = [benchRows(BATCH_ROWS, 1), benchRows(BATCH_ROWS, 2)];
    const load = await prepareLoad(server, server.batch, batches);
    const idle: Sample[] = [];
    const loaded: Sample[] = [];
    try {
      await ask(server, server.batch, batches[0]!);
      await sample(server, 3); // warm-up
      for (let round = 0; round < rounds; round++) {
        await untilQuiet(server); // what the batches before left to ship would disturb
        idle.push(await sample(server, seconds));
        const [beside] = await Promise.all([sample(server, seconds), load.run(CONNECTIONS, seconds)]);
        loaded.push(beside);
      }
    } finally {
      await load.remove();
    }
    return { name: 'serving-isolation', rounds, rows: rowsOf(idle, loaded) };
  } finally {
    await ours.stop();
  }
}

async function sample(server: BenchServer, seconds: number): Promise<Sample> {
  await loopDelayOf(server.url); // forgets what was before
  const latencies = await latenciesOf(server, SINGLES_PER_SECOND, seconds);
  return { loopDelayMs: await loopDelayOf(server.url), singleMs: percentile(latencies, 0.99) };
}

function rowsOf(idle: readonly Sample[], loaded: readonly Sample[]) {
  const of = (samples: readonly Sample[], key: keyof Sample) => samples.map((one) => one[key]);
  const load = `${CONNECTIONS} × ${BATCH_ROWS} rows beside`;
  const row = (what: string, key: keyof Sample) => ({ what, unit: 'ms', ours: of(loaded, key) });
  const delay = row(`event-loop delay, 99th percentile, ${load}`, 'loopDelayMs');
  const single = row(`1 row, 99 % answered in, ${load}`, 'singleMs');
  return [
    lessIsBetter({ ...delay, peer: [LOOP_DELAY_MS], peer_name: 'allowed' }, 1),
    lessIsBetter({ ...delay, peer: of(idle, 'loopDelayMs'), peer_name: 'idle' }),
    lessIsBetter(
      { ...single, peer: of(idle, 'singleMs').map((ms) => ms * TIMES_IDLE), peer_name: `${TIMES_IDLE} × idle` },
      1,
    ),
  ];
}
