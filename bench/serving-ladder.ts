import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { migrate } from '../db/migrate.ts';
import { startTestPostgres } from '../test/platform.ts';
import { type BenchOptions, type BenchOutcome, type BenchRow, lessIsBetter, moreIsBetter } from './report.ts';
import { startCollector } from './serving/collector.ts';
import { benchRows, lightModel } from './serving/data.ts';
import { type Layer, LAYERS } from './serving/ladder-layers.ts';
import { prepareLoad, requireWrk, type Load } from './serving/load.ts';
import { measure, type Measured } from './serving/measure.ts';
import { annealRow } from './serving/wires.ts';

const CONNECTIONS = 32;
const LOG_KEEPS = 0.9; // of the requests per second
const FULL_TO_BARE = 60 / 32; // of the processor time

interface Rung {
  readonly layer: Layer;
  readonly pid: number;
  readonly load: Load;
  readonly samples: Measured[];
  readonly stop: () => Promise<unknown>;
}

/** What each layer of the serving process costs: one process for each rung of the ladder, in turns, one row at 32 connections. */
export async function benchServingLadder({ quick }: BenchOptions): Promise<BenchOutcome> {
  await requireWrk();
  const { rounds, seconds, warmUpSeconds } = quick
    ? { rounds: 2, seconds: 2, warmUpSeconds: 2 }
    : { rounds: 7, seconds: 5, warmUpSeconds: 5 };
  const folder = await mkdtemp(join(tmpdir(), 'anneal-ladder-'));
  const [postgres, collector] = await Promise.all([startTestPostgres(), startCollector()]);
  const rungs: Rung[] = [];
  try {
    await migrate(postgres.url);
    const onnx = join(folder, 'light.onnx');
    await writeFile(onnx, lightModel());
    const env = { DATABASE_URL: postgres.url, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    for (const layer of LAYERS) rungs.push(await startRung(layer, onnx, join(folder, layer), env));
    for (const { load, pid } of rungs) await measure({ pid }, load, CONNECTIONS, warmUpSeconds);
    for (let round = 0; round < rounds; round++)
      for (const { load, pid, samples } of rungs) samples.push(await measure({ pid }, load, CONNECTIONS, seconds));
    if (collector.bytes() === 0) throw new Error('no trace was exported: the ladder has no rung for traces');
    return { name: 'serving-ladder', rounds, rows: rowsOf(rungs) };
  } finally {
    await Promise.all(rungs.flatMap(({ stop, load }) => [stop(), load.remove()]));
    collector.stop();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startRung(layer: Layer, onnx: string, folder: string, env: Record<string, string>): Promise<Rung> {
  const app = fileURLToPath(new URL('serving/ladder-app.ts', import.meta.url));
  const child = spawn(process.execPath, [app, layer, onnx, folder], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const stop = () => (child.kill('SIGKILL'), exited);
  const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (done) throw new Error(`the rung '${layer}' ended instead of listening; its error is above`);
  const { port, token } = JSON.parse(value) as { port: number; token: string };
  const headers = { authorization: `Bearer ${token}` };
  const server = { name: layer, url: `http://127.0.0.1:${port}`, headers };
  const load = await prepareLoad(
    server,
    annealRow('light'),
    benchRows(100, 5).map((row) => [row]),
  );
  return { layer, pid: child.pid!, load, samples: [], stop };
}

function rowsOf(rungs: readonly Rung[]): BenchRow[] {
  const of = ({ samples }: Rung, key: keyof Measured) => samples.map((sample) => sample[key]);
  const compare = (what: string, unit: string, key: keyof Measured, ours: Rung, peer: Rung, peer_name: string) => ({
    ...{ what, unit, peer_name },
    ours: of(ours, key),
    peer: of(peer, key),
  });
  const rate = (what: string, ours: Rung, peer: Rung, name: string) =>
    compare(`${what}: answers`, '/s', 'requests_per_second', ours, peer, name);
  const cpu = (what: string, ours: Rung, peer: Rung, name: string) =>
    compare(`${what}: CPU per request`, 'µs', 'cpu_us', ours, peer, name);
  const [bare, full, unlogged] = [rungs[0]!, rungs.at(-1)!, rungs.at(-2)!];
  const steps = rungs.slice(1).flatMap((rung, index) => {
    const below = rungs[index]!;
    const name = index === 0 ? 'the bare route' : `up to ${below.layer}`;
    return [
      moreIsBetter(rate(`+ ${rung.layer}`, rung, below, name)),
      lessIsBetter(cpu(`+ ${rung.layer}`, rung, below, name)),
    ];
  });
  return [
    ...steps,
    moreIsBetter(rate('everything', full, unlogged, 'without the log'), LOG_KEEPS),
    lessIsBetter(cpu('everything', full, bare, 'the bare route'), Number((1 / FULL_TO_BARE).toFixed(3))),
  ];
}
