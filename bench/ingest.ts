import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decodeMatrix } from '../ml/matrix-file.ts';
import { pythonVenv } from '../scripts/python-venv.ts';
import { lessIsBetter, sameWithin, type BenchOutcome, type BenchRow } from './report.ts';

const ROWS = 1_000_000;
const ROUNDS = 5;
const PEER = 'pandas 3.1 + scikit-learn 1.9';
const MIB = 1024;

interface Answer {
  readonly rows: { readonly train: number; readonly validation: number; readonly test: number };
  readonly peak_kib: number;
}
interface PeerAnswer extends Answer {
  readonly positives: number;
  readonly means: Readonly<Record<string, number>>;
  readonly missing: Readonly<Record<string, number>>;
}
interface Run<T extends Answer> {
  readonly seconds: number;
  readonly answer: T;
}

/**
 * CSV → checks, profile, split, encodings → float32 matrices, each as a whole process from its start to its end. Ours
 * also writes the typed Parquet and the raw test rows, which the peer does not.
 */
export async function benchIngest(): Promise<BenchOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-bench-'));
  try {
    const csv = join(folder, 'rows.csv');
    await promisify(execFile)(process.execPath, [path('ingest-csv.ts'), csv, String(ROWS), '7']);
    const python = await pythonVenv(path('peers/requirements.txt'));
    const ours: Run<Answer>[] = [];
    const peer: Run<PeerAnswer>[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await run(process.execPath, [path('ingest-ours.ts'), csv, folder]));
      peer.push(await run(python, [path('peers/ingest_pandas.py'), csv, folder]));
    }
    requireOwnPeaks(ours);
    const outputs = await compareOutputs(folder, ours[0]!.answer, peer[0]!.answer);
    return { name: 'ingest', rounds: ROUNDS, rows: [...outputs, ...compareCosts(ours, peer)] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));

async function run<T extends Answer>(command: string, args: readonly string[]): Promise<Run<T>> {
  const started = performance.now();
  const { stdout } = await promisify(execFile)(command, args);
  return { seconds: (performance.now() - started) / 1000, answer: JSON.parse(stdout) as T };
}

// A child inherits the peak of the process that starts it, so ours must be the smaller one.
function requireOwnPeaks(runs: readonly Run<Answer>[]): void {
  const own = process.resourceUsage().maxRSS;
  const least = Math.min(...runs.map(({ answer }) => answer.peak_kib));
  if (own >= least) throw new Error(`the benchmark's own peak memory (${own} KiB) hides its child's (${least} KiB)`);
}

function compareCosts(ours: readonly Run<Answer>[], peer: readonly Run<PeerAnswer>[]): BenchRow[] {
  const seconds = (runs: readonly Run<Answer>[]) => runs.map((one) => one.seconds);
  const peaks = (runs: readonly Run<Answer>[]) => runs.map(({ answer }) => answer.peak_kib / MIB);
  const scale = `${ROWS / 1e6}M × 30 CSV → split matrices`;
  const row = { peer_name: PEER };
  return [
    lessIsBetter({ ...row, what: `time, ${scale}`, unit: 's', ours: seconds(ours), peer: seconds(peer) }, 1 / 0.8),
    lessIsBetter(
      { ...row, what: `peak memory, ${scale}`, unit: 'MiB', ours: peaks(ours), peer: peaks(peer) },
      1 / 0.35,
    ),
  ];
}

async function compareOutputs(folder: string, ours: Answer, peer: PeerAnswer): Promise<BenchRow[]> {
  const total = ({ rows }: Answer) => rows.train + rows.validation + rows.test;
  const { columns, target } = await readMatrices(folder);
  const names = Object.keys(peer.means);
  const far = names.filter((name) => {
    const mean = columns.get(name)!.sum / columns.get(name)!.count;
    return !(Math.abs(mean - peer.means[name]!) <= 1e-6 * (1 + Math.abs(mean)));
  });
  if (far.length > 0) throw new Error(`the column means differ from the peer's: ${far.join(', ')}`);
  const missing = Object.keys(peer.missing).reduce((sum, name) => sum + ROWS - columns.get(name)!.count, 0);
  const peerMissing = Object.values(peer.missing).reduce((sum, count) => sum + count, 0);
  const meanOf = (name: string) => columns.get(name)!.sum / columns.get(name)!.count;
  const same = (what: string, unit: string, mine: number, theirs: number, atMost: number) =>
    sameWithin({ what, unit, ours: [mine], peer: [theirs], peer_name: PEER }, atMost);
  return [
    same('rows of the three splits', 'rows', total(ours), total(peer), 0),
    same('rows of the positive class', 'rows', target, peer.positives, 0),
    same('missing numbers', 'cells', missing, peerMissing, 0),
    same(
      `sum of ${names.length} column means`,
      'mean',
      names.reduce((sum, name) => sum + meanOf(name), 0),
      names.reduce((sum, name) => sum + peer.means[name]!, 0),
      1e-3,
    ),
  ];
}

/** Sum and count of the values of every column, and the positive rows, over the three matrices. */
async function readMatrices(folder: string) {
  const columns = new Map<string, { sum: number; count: number }>();
  let target = 0;
  for (const name of ['train', 'validation', 'test']) {
    const matrix = decodeMatrix(await readFile(join(folder, `${name}.mat`)));
    target += matrix.target.reduce((sum, value) => sum + value, 0);
    matrix.columns.forEach((column, index) => {
      const total = columns.get(column) ?? { sum: 0, count: 0 };
      for (const value of matrix.data[index]!) {
        if (!Number.isNaN(value)) {
          total.sum += value;
          total.count++;
        }
      }
      columns.set(column, total);
    });
  }
  return { columns, target };
}
