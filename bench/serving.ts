import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BenchOptions,
  type BenchOutcome,
  type BenchRow,
  lessIsBetter,
  moreIsBetter,
  sameWithin,
} from './report.ts';
import { benchRows, heavyModel, lightModel, type FeatureRow } from './serving/data.ts';
import { prepareLoad, requireWrk, type Load } from './serving/load.ts';
import { measure, type Measured } from './serving/measure.ts';
import { startOurPlatform } from './serving/ours.ts';
import { PEERS, startServingPeer } from './serving/peers.ts';
import { ask, type BenchServer } from './serving/server.ts';
import { v2Binary, type Wire } from './serving/wires.ts';

const TOLERANCE = 1e-6;
const SEED = 5;
const LIGHT = 'light';
const HEAVY = 'heavy';

interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}
const FULL: Plan = { rounds: 5, seconds: 5, warmUpSeconds: 3 };
const QUICK: Plan = { rounds: 2, seconds: 2, warmUpSeconds: 1 };

/** One way to ask one server, with what was measured of it. */
interface Contestant {
  readonly server: BenchServer;
  readonly wire: Wire;
  readonly samples: Measured[];
}

/**
 * The serving process beside Python's, all with the same ONNX file and the same rows, one process each. Ours has everything
 * on: tokens, validation, limits, metrics, the prediction log, sampled traces. The peers answer a probability and nothing else.
 */
export async function benchServing({ quick }: BenchOptions): Promise<BenchOutcome> {
  await requireWrk();
  const plan = quick ? QUICK : FULL;
  const folder = await mkdtemp(join(tmpdir(), 'anneal-bench-'));
  const ours = await startOurPlatform();
  try {
    const leftOut = new Map<string, string>();
    const stage = async (
      name: string,
      onnx: Uint8Array,
      work: (ours: BenchServer, peers: BenchServer[]) => Promise<BenchRow[]>,
    ) => {
      const mine = await ours.serve(name, onnx);
      const file = join(folder, `${name}.onnx`);
      await writeFile(file, onnx);
      const peers = await startPeers(file, join(folder, name), leftOut);
      try {
        return [...(await compareOutputs(name, mine, peers)), ...(await work(mine, peers))];
      } finally {
        await Promise.all(peers.map(({ stop }) => stop()));
      }
    };
    const light = await stage(LIGHT, lightModel(), async (mine, peers) => [
      ...(await compareRows(plan, mine, peers)),
      ...(await compareBatches(plan, mine, peers)),
    ]);
    const heavy = await stage(HEAVY, heavyModel(), (mine, peers) => compareHeavy(plan, mine, peers));
    if (ours.traceBytes() === 0) throw new Error('no trace was exported: ours was not measured with everything on');
    return { name: 'serving', rounds: plan.rounds, rows: [...light, ...heavy], left_out: [...leftOut.values()] };
  } finally {
    await ours.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One after the other: two starting at once would disturb nobody but make errors hard to read. */
async function startPeers(onnx: string, folder: string, leftOut: Map<string, string>): Promise<BenchServer[]> {
  const servers: BenchServer[] = [];
  for (const peer of PEERS) {
    const cwd = join(folder, peer.folder);
    await mkdir(cwd, { recursive: true });
    try {
      servers.push(await startServingPeer(peer, onnx, cwd));
    } catch (error) {
      leftOut.set(peer.name, (error as Error).message);
    }
  }
  return servers;
}

/** Throws unless all servers answer 100 rows alike, together and one by one. */
async function compareOutputs(model: string, ours: BenchServer, peers: readonly BenchServer[]): Promise<BenchRow[]> {
  const rows = benchRows(100, SEED);
  const expected = await ask(ours, ours.batch, rows);
  const answersOf = async (server: BenchServer, batch = server.batch) => {
    const answers = await ask(server, batch, rows);
    for (let row = 0; row < 10; row++) answers.push(...(await ask(server, server.row, [rows[row]!])));
    for (const [index, answer] of answers.entries()) {
      const wanted = expected[index % rows.length]!;
      if (Math.abs(answer - wanted) > TOLERANCE)
        throw new Error(`${server.name} answers ${answer} for row ${index % rows.length}, ours answered ${wanted}`);
    }
    return answers.slice(0, rows.length);
  };
  await answersOf(ours, v2Binary(model));
  const what = `mean probability of 100 rows, ${model} model`;
  const outputs: BenchRow[] = [];
  for (const peer of peers) {
    const row = { what, unit: '', ours: [meanOf(expected)], peer: [meanOf(await answersOf(peer))] };
    outputs.push(sameWithin({ ...row, peer_name: peer.name }, TOLERANCE));
  }
  return outputs;
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Goals: requests per second beside each peer, and processor time beside FastAPI. */
const ROW_GOALS = { fastapi: 5, mlserver: 8, bentoml: 20, mlflow: 30 };
const CPU_GOALS = { fastapi: 4 };

async function compareRows(plan: Plan, ours: BenchServer, peers: readonly BenchServer[]): Promise<BenchRow[]> {
  const contestants = [ours, ...peers].map((server) => contestant(server, server.row));
  await contest(plan, contestants, 32, single(benchRows(100, SEED)));
  const [mine, ...others] = contestants as [Contestant, ...Contestant[]];
  return others.flatMap((other) => compareOne('1 row, 32 connections', mine, other, ROW_GOALS, CPU_GOALS));
}

/** MLServer's REST has no binary tensors, nor has another peer: ours over binary stands beside their JSON. */
async function compareBatches(plan: Plan, ours: BenchServer, peers: readonly BenchServer[]): Promise<BenchRow[]> {
  const contestants = [
    contestant(ours, ours.batch),
    contestant(ours, v2Binary(LIGHT)),
    ...peers.map((server) => contestant(server, server.batch)),
  ];
  const rows = benchRows(1000, SEED);
  const batches = Array.from({ length: 10 }, (_, index) => rows.slice(index * 100, index * 100 + 100));
  await contest(plan, contestants, 8, batches);
  const [json, binary, ...others] = contestants as [Contestant, Contestant, ...Contestant[]];
  const [jsonGoals, binaryGoals] = [3, 5].map((goal) => Object.fromEntries(PEERS.map(({ folder }) => [folder, goal])));
  return [
    ...others.flatMap((other) => compareOne('100 rows of JSON, 8 connections', json, other, jsonGoals)),
    ...others.flatMap((other) =>
      compareOne('100 rows of V2 binary, 8 connections, beside JSON', binary, other, binaryGoals),
    ),
  ];
}

/** The model's own time is the same for all: there is no goal. */
async function compareHeavy(plan: Plan, ours: BenchServer, peers: readonly BenchServer[]): Promise<BenchRow[]> {
  const contestants = [ours, ...peers].map((server) => contestant(server, server.row));
  await contest(plan, contestants, 32, single(benchRows(100, SEED)));
  const [mine, ...others] = contestants as [Contestant, ...Contestant[]];
  return others.flatMap((other) => compareOne('1 row of the heavy model, 32 connections', mine, other));
}

const contestant = (server: BenchServer, wire: Wire): Contestant => ({ server, wire, samples: [] });
const single = (rows: readonly FeatureRow[]) => rows.map((row) => [row]);

/** Fills the contestants' samples, each in its turn in every round. */
async function contest(
  { rounds, seconds, warmUpSeconds }: Plan,
  contestants: readonly Contestant[],
  connections: number,
  batches: readonly (readonly FeatureRow[])[],
): Promise<void> {
  const loads: Load[] = [];
  try {
    for (const { server, wire } of contestants) loads.push(await prepareLoad(server, wire, batches));
    console.error(`measuring ${contestants.length} servers at ${connections} connections, ${rounds} rounds`);
    for (const [index, { server }] of contestants.entries())
      await measure(server, loads[index]!, connections, warmUpSeconds);
    for (let round = 0; round < rounds; round++) {
      for (const [index, { server, samples }] of contestants.entries())
        samples.push(await measure(server, loads[index]!, connections, seconds));
    }
  } finally {
    await Promise.all(loads.map((load) => load.remove()));
  }
}

type Goals = Readonly<Record<string, number>>;

function compareOne(load: string, ours: Contestant, other: Contestant, rate: Goals = {}, cpu: Goals = {}): BenchRow[] {
  const { folder } = PEERS.find(({ name }) => name === other.server.name)!;
  const row = (what: string, unit: string, key: keyof Measured) => ({
    what: `${load}: ${what}`,
    unit,
    ours: ours.samples.map((sample) => sample[key]),
    peer: other.samples.map((sample) => sample[key]),
    peer_name: other.server.name,
  });
  return [
    moreIsBetter(row('answers', '/s', 'requests_per_second'), rate[folder]),
    lessIsBetter(row('CPU per request', 'µs', 'cpu_us'), cpu[folder]),
    lessIsBetter(row('CPU per request, database too', 'µs', 'cpu_with_database_us')),
    lessIsBetter(row('peak memory', 'MiB', 'peak_mib')),
  ];
}
