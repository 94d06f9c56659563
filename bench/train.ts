import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BoostingParams } from '../ml/boosting/train.ts';
import { trainGradientBoosting } from '../ml/boosting/train.ts';
import type { Matrix } from '../ml/matrix.ts';
import { predictProbabilities } from '../ml/predict.ts';
import { createRandom, normal, type Random } from '../ml/random.ts';
import { pythonVenv } from '../scripts/python-venv.ts';
import { startPeer, type Peer } from './peer.ts';
import { lessIsBetter, sameWithin, type BenchOutcome } from './report.ts';

const ROWS = 100_000;
const TEST_ROWS = 50_000;
const FEATURES = 20;
const ROUNDS = 7;
const PEER = 'LightGBM 4.7, 2 threads';
const PARAMS: BoostingParams = {
  trees: 100,
  learning_rate: 0.1,
  max_leaves: 31,
  min_rows_per_leaf: 20,
  l2: 1,
  class_weight: 'none',
  early_stopping_rounds: 100,
};

interface PeerTraining {
  readonly seconds: number;
  readonly auc: number;
}

/** Our trainer on one thread beside LightGBM: from float32 columns in memory to trained trees, binning included. */
export async function benchTrain(): Promise<BenchOutcome> {
  const folder = await mkdtemp(join(tmpdir(), 'anneal-bench-'));
  try {
    const { train, test } = createRows();
    await Promise.all([writeMatrix(folder, 'train', train), writeMatrix(folder, 'test', test)]);
    const peer = startPeer(await python(), fileURLToPath(new URL('peers/train_lightgbm.py', import.meta.url)));
    try {
      await peer.ask({ do: 'load', folder, rows: ROWS, test_rows: TEST_ROWS, features: FEATURES, params: PARAMS });
      return await measure(peer, folder, train, test);
    } finally {
      await peer.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const python = () => pythonVenv(fileURLToPath(new URL('peers/requirements.txt', import.meta.url)));

async function measure(peer: Peer, folder: string, train: Matrix, test: Matrix): Promise<BenchOutcome> {
  const ours = { seconds: [] as number[], auc: [] as number[] };
  const theirs = { seconds: [] as number[], auc: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    const { model } = trainGradientBoosting(train, null, PARAMS, { seed: 1 });
    ours.seconds.push((performance.now() - started) / 1000);
    const file = join(folder, 'probabilities');
    await writeFile(file, bytesOf(predictProbabilities(model, test)));
    // One judge for both: scikit-learn's roc_auc_score.
    ours.auc.push((await peer.ask<{ auc: number }>({ do: 'auc', file })).auc);
    const training = await peer.ask<PeerTraining>({ do: 'train' });
    theirs.seconds.push(training.seconds);
    theirs.auc.push(training.auc);
  }
  const row = (what: string, unit: string, key: 'seconds' | 'auc') => ({
    what,
    unit,
    ours: ours[key],
    peer: theirs[key],
    peer_name: PEER,
  });
  const scale = `${ROWS / 1000}k × ${FEATURES}, ${PARAMS.trees} trees × ${PARAMS.max_leaves} leaves`;
  return {
    name: 'train',
    rounds: ROUNDS,
    rows: [
      sameWithin(row(`ROC AUC on ${TEST_ROWS / 1000}k held-out rows`, 'AUC', 'auc'), 0.002),
      lessIsBetter(row(`training time, ${scale}`, 's', 'seconds'), 0.4),
    ],
  };
}

/** Additive, interacting and periodic effects, two columns with missing values that mean something, ten without effect. */
function createRows(): { train: Matrix; test: Matrix } {
  const random = createRandom(7);
  return { train: createMatrix(ROWS, random), test: createMatrix(TEST_ROWS, random) };
}

function createMatrix(rows: number, random: Random): Matrix {
  const data = Array.from({ length: FEATURES }, () => Float32Array.from({ length: rows }, () => normal(random)));
  const target = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    target[row] = random() < 1 / (1 + Math.exp(-logOdds((column) => data[column]![row]!))) ? 1 : 0;
    if (random() < (target[row] ? 0.15 : 0.05)) data[7]![row] = NaN;
    if (random() < 0.1) data[0]![row] = NaN;
    data[8]![row] = Math.round(data[8]![row]! * 2);
  }
  return { columns: data.map((_, column) => `x${column}`), rows, data, target };
}

// The interacting columns have an effect of their own too: without one, whether 100 greedy trees find the interaction is
// luck, and LightGBM's own AUC then moves by 0.002 when only max_bin changes.
function logOdds(x: (column: number) => number): number {
  const interactions = 0.6 * x(1) * x(2) + 0.5 * Math.sign(x(4) - 0.5) * x(5);
  const additive = x(0) + 0.5 * x(1) - 0.4 * x(2) + 0.4 * x(4) + 0.3 * x(5) + 0.2 * x(8) + 0.2 * x(9);
  return interactions + additive + Math.sin(2 * x(3)) + 0.3 * x(6) * x(6) - 0.8;
}

async function writeMatrix(folder: string, name: string, { data, target }: Matrix): Promise<void> {
  await writeFile(join(folder, `${name}.columns`), Buffer.concat(data.map(bytesOf)));
  await writeFile(join(folder, `${name}.target`), target);
}

const bytesOf = (values: Float32Array | Float64Array) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength);
