import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { dirname } from 'node:path';

/** Of the rounds' measurements. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface BenchRow {
  readonly what: string;
  readonly unit: string;
  readonly ours: Spread;
  readonly peer: Spread;
  readonly peer_name: string;
  /** How many times better ours is, by the medians. */
  readonly ratio: number;
  readonly goal: string;
  readonly met: boolean;
}

export interface BenchOptions {
  /** Few short rounds, to see that it runs: the drift and serving benchmarks only. */
  readonly quick: boolean;
}
/** What a benchmark measured. `rows` that compare outputs come before those that compare times. */
export interface BenchOutcome {
  readonly name: string;
  readonly rounds: number;
  readonly rows: readonly BenchRow[];
  /** Peers that could not be measured, each with its reason: goals beside them are not shown to be met. */
  readonly left_out?: readonly string[];
}

export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new RangeError('a spread needs at least one measurement');
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

export interface Comparison {
  readonly what: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly peer: readonly number[];
  readonly peer_name: string;
}

/** A quantity of which less is better (time, memory). `atLeast` is the smallest ratio peer / ours that meets the goal. */
export function lessIsBetter(comparison: Comparison, atLeast?: number): BenchRow {
  const [ours, peer] = [spreadOf(comparison.ours), spreadOf(comparison.peer)];
  return { ...comparison, ours, peer, ...judged(peer.median / ours.median, atLeast) };
}

/** A quantity of which more is better (requests per second). `atLeast` is the smallest ratio ours / peer that meets the goal. */
export function moreIsBetter(comparison: Comparison, atLeast?: number): BenchRow {
  const [ours, peer] = [spreadOf(comparison.ours), spreadOf(comparison.peer)];
  return { ...comparison, ours, peer, ...judged(ours.median / peer.median, atLeast) };
}

/** Without a goal a row is there to be seen. */
const judged = (ratio: number, atLeast: number | undefined) =>
  atLeast === undefined
    ? { ratio, goal: 'none', met: true }
    : { ratio, goal: `ratio >= ${atLeast}`, met: ratio >= atLeast };

/** A quantity that must not be worse or better than the peer's by more than `atMost`, both ways. */
export function sameWithin(comparison: Comparison, atMost: number): BenchRow {
  const [ours, peer] = [spreadOf(comparison.ours), spreadOf(comparison.peer)];
  const met = Math.abs(ours.median - peer.median) <= atMost;
  return { ...comparison, ours, peer, ratio: ours.median / peer.median, goal: `|ours - peer| <= ${atMost}`, met };
}

/** Prints the outcome as a table and, unless `path` is null, writes it there with time and machine. */
export async function report(outcome: BenchOutcome, path: string | null): Promise<void> {
  const { name, rounds, ...measured } = outcome;
  const result = { name, measured_at: new Date().toISOString(), machine: machine(), rounds, ...measured };
  console.log(`${name}: ${rounds} rounds on ${result.machine}; medians (min to max)`);
  console.table(Object.fromEntries(outcome.rows.map((row) => [`${row.what} | ${row.peer_name}`, cells(row)])));
  if (path === null) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
}

/**
 * A reason not to trust the times about to be measured, or null. Two-threaded peers suffer far more from a busy machine
 * than one thread does, so a ratio measured there flatters us.
 */
export function busyWarning(): string | null {
  const [load = 0] = loadavg();
  const threshold = cpus().length / 2;
  if (load <= threshold) return null;
  return `the machine is busy (load ${load.toFixed(1)} on ${cpus().length} cores): times will mislead`;
}

/** One line per row that falls short of its goal, and per peer that was left out. */
export const shortfalls = ({ rows, left_out = [] }: BenchOutcome): string[] => [
  ...rows
    .filter((row) => !row.met)
    .map((row) => `${row.what}: ratio ${row.ratio.toFixed(3)} to ${row.peer_name}, goal ${row.goal}`),
  ...left_out.map((reason) => `left out: ${reason}`),
];

const cells = ({ unit, ours, peer, ratio, goal, met }: BenchRow) => ({
  unit,
  ours: format(ours),
  peer: format(peer),
  ratio: ratio.toFixed(3),
  goal,
  met: met ? 'yes' : 'NO',
});

const format = ({ median, min, max }: Spread) =>
  `${median.toPrecision(4)} (${min.toPrecision(4)} to ${max.toPrecision(4)})`;

const machine = () => {
  const cores = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown CPU'}, ${memory} GiB, Node ${process.versions.node}`;
};
