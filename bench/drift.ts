import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ColumnDrift } from '../ml/drift/drift-report.ts';
import { pythonVenv } from '../scripts/python-venv.ts';
import { lessIsBetter, sameWithin, type BenchOptions, type BenchOutcome, type BenchRow } from './report.ts';

const ROWS = 100_000;
const MANY_ROWS = 10_000_000;
const MANY_LIMIT_MIB = 2048;
const PEER = 'Evidently 0.7.23 DataDriftPreset';
const MIB = 1024;

interface Answer {
  readonly columns: readonly Pick<ColumnDrift, 'column' | 'method' | 'score' | 'drifted'>[];
  /** From when the program and its libraries are loaded. */
  readonly seconds: number;
  readonly peak_kib: number;
}
interface Run extends Answer {
  /** From the start of the process to its end. */
  readonly wholeSeconds: number;
}

/**
 * Two Parquet files of 30 columns → a method, a score and a verdict for each, as whole processes that take turns. Without
 * `quick` also 10 million rows, which the peer does not get: it would hold both tables several times.
 */
export async function benchDrift({ quick }: BenchOptions): Promise<BenchOutcome> {
  const rounds = quick ? 1 : 5;
  const folder = await mkdtemp(join(tmpdir(), 'anneal-bench-'));
  try {
    const python = await pythonVenv(path('peers/drift-requirements.txt'));
    await run(process.execPath, [path('drift-data.ts'), folder, String(ROWS)]);
    const ours: Run[] = [];
    const peer: Run[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await answered(process.execPath, [path('drift-ours.ts'), folder, '100MB']));
      peer.push(await answered(python, [path('peers/drift_evidently.py'), folder]));
    }
    requireOwnPeaks(ours);
    const rows = [...compareOutputs(ours[0]!, peer[0]!), ...compareCosts(ours, peer)];
    return { name: 'drift', rounds, rows: quick ? rows : [...rows, await manyRows(folder)] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const run = (command: string, args: readonly string[]) => promisify(execFile)(command, args);

async function answered(command: string, args: readonly string[]): Promise<Run> {
  const started = performance.now();
  const { stdout } = await run(command, args);
  const wholeSeconds = (performance.now() - started) / 1000;
  return { ...(JSON.parse(stdout) as Answer), wholeSeconds };
}

// A child inherits the peak of the process that starts it, so ours must be the smaller one.
function requireOwnPeaks(runs: readonly Run[]): void {
  const own = process.resourceUsage().maxRSS;
  const least = Math.min(...runs.map(({ peak_kib }) => peak_kib));
  if (own >= least) throw new Error(`the benchmark's own peak memory (${own} KiB) hides its child's (${least} KiB)`);
}

function compareOutputs(ours: Answer, peer: Answer): BenchRow[] {
  const theirs = new Map(peer.columns.map((column) => [column.column, column]));
  const other = ours.columns.filter(({ column, method, score, drifted }) => {
    const found = theirs.get(column);
    return found?.method !== method || found.drifted !== drifted || !(Math.abs(score! - found.score!) <= 1e-9);
  });
  if (other.length > 0) throw new Error(`not as the peer finds: ${other.map(({ column }) => column).join(', ')}`);
  const drifted = ({ columns }: Answer) => [columns.filter((column) => column.drifted).length];
  const scores = ({ columns }: Answer) => [columns.reduce((sum, { score }) => sum + score!, 0)];
  const same = (what: string, unit: string, mine: number[], their: number[], atMost: number) =>
    sameWithin({ what, unit, ours: mine, peer: their, peer_name: PEER }, atMost);
  return [
    same('columns compared, by the same methods', 'columns', [ours.columns.length], [peer.columns.length], 0),
    same('columns drifted, the same ones', 'columns', drifted(ours), drifted(peer), 0),
    same('sum of the scores, each equal to 1e-9', 'score', scores(ours), scores(peer), 1e-7),
  ];
}

function compareCosts(ours: readonly Run[], peer: readonly Run[]): BenchRow[] {
  const scale = `2 × ${ROWS / 1000}k × 30 Parquet → verdicts`;
  const cost = (what: string, unit: string, of: (one: Run) => number, atLeast?: number) =>
    lessIsBetter({ what: `${what}, ${scale}`, unit, ours: ours.map(of), peer: peer.map(of), peer_name: PEER }, atLeast);
  return [
    cost('time of the process', 's', ({ wholeSeconds }) => wholeSeconds, 20),
    cost('of it to start and load libraries', 's', ({ wholeSeconds, seconds }) => wholeSeconds - seconds),
    cost('of it to read and compare', 's', ({ seconds }) => seconds),
    cost('peak memory', 'MiB', ({ peak_kib }) => peak_kib / MIB, 3),
  ];
}

async function manyRows(folder: string): Promise<BenchRow> {
  await run(process.execPath, [path('drift-data.ts'), folder, String(MANY_ROWS)]);
  const { peak_kib, wholeSeconds } = await answered(process.execPath, [path('drift-ours.ts'), folder, '512MB']);
  const what = `peak memory, 2 × ${MANY_ROWS / 1e6}M × 30 in ${wholeSeconds.toFixed(0)} s`;
  const limit = { unit: 'MiB', ours: [peak_kib / MIB], peer: [MANY_LIMIT_MIB], peer_name: 'the limit' };
  return lessIsBetter({ what, ...limit }, 1);
}
