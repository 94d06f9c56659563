import { startExtraWorker } from '../test/end-to-end/extra-worker.ts';
import { startTestPlatform, type RunView, type TestPlatform } from '../test/end-to-end/platform.ts';
import { lessIsBetter, moreIsBetter, type BenchOptions, type BenchOutcome } from './report.ts';

const SETTINGS = { WORKER_TRAINING_CONCURRENCY: '1' };
const AT_MOST = 0.6;
/** The candidates' times may differ by a fifth of the longest. */
const EQUAL = 0.8;

interface Sample {
  /** Of the training stage. */
  readonly seconds: number;
  /** Of each candidate. */
  readonly candidates: readonly number[];
}

/**
 * A run with four candidates of the same work, each on one thread: the time of its training stage with one worker process
 * that trains one candidate at a time, and with two. They take turns on the same platform, and all times are the run's own.
 */
export async function benchTrainingWorkers({ quick }: BenchOptions): Promise<BenchOutcome> {
  const { rounds, rows, trees } = quick
    ? { rounds: 1, rows: 20_000, trees: 200 }
    : { rounds: 3, rows: 100_000, trees: 1200 };
  const platform = await startTestPlatform(SETTINGS);
  try {
    const dataset = await platform.uploadSample('churn', rows);
    const train = () => trainOnce(platform, dataset, trees);
    const [one, two]: [Sample[], Sample[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      one.push(await train());
      two.push(await withSecondWorker(platform, train));
    }
    return { name: 'training-workers', rounds, rows: rowsOf(one, two) };
  } finally {
    await platform.stop();
  }
}

async function withSecondWorker<T>(platform: TestPlatform, work: () => Promise<T>): Promise<T> {
  const second = await startExtraWorker(platform, 'training', SETTINGS);
  try {
    return await work();
  } finally {
    second.kill('SIGTERM');
    await second.exited;
  }
}

async function trainOnce(platform: TestPlatform, dataset_version: string, trees: number): Promise<Sample> {
  const run = await platform.finished(
    await platform.train({ pipeline: 'churn', dataset_version, overrides: fourEqual(trees) }),
  );
  if (run.state !== 'COMPLETED') throw new Error(`the training run ended ${run.state}: ${run.error?.message}`);
  return { seconds: stageSeconds(run), candidates: run.candidates.map(secondsOf) };
}

/** A penalty that differs in the third digit changes nothing about the work; early stopping never comes. */
const fourEqual = (trees: number) => ({
  evaluation: { gates: [], max_regression: 1 },
  candidates: [
    {
      algorithm: 'gradient_boosting',
      trees: [trees],
      learning_rate: [0.01],
      max_leaves: [31],
      l2: [1, 1.01, 1.02, 1.03],
      early_stopping_rounds: [1000],
    },
  ],
});

const stageSeconds = ({ stages }: RunView) => secondsOf(stages.find(({ name }) => name === 'training')!);

const secondsOf = ({ started_at, finished_at }: { started_at: string | null; finished_at: string | null }) =>
  (Date.parse(finished_at!) - Date.parse(started_at!)) / 1000;

function rowsOf(one: readonly Sample[], two: readonly Sample[]) {
  const stage = (samples: readonly Sample[]) => samples.map(({ seconds }) => seconds);
  const candidate = (pick: (...seconds: number[]) => number) => one.map(({ candidates }) => pick(...candidates));
  return [
    moreIsBetter(
      {
        what: 'the shortest of four equal candidates, one worker',
        unit: 's',
        ours: candidate(Math.min),
        peer: candidate(Math.max),
        peer_name: 'the longest',
      },
      EQUAL,
    ),
    lessIsBetter(
      {
        what: 'training stage of four equal candidates, two workers',
        unit: 's',
        ours: stage(two),
        peer: stage(one),
        peer_name: 'one worker',
      },
      1 / AT_MOST,
    ),
  ];
}
