import { CancellationScope, continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { BatchPredictionActivities, ScoredChunk } from '../activities/batch-predictions.ts';
import { runJob, type Job } from './job.ts';
import type { BatchContinuation, BatchPredictInput, JobStatus } from './messages.ts';
import { pausable, type Gate } from './pause.ts';

const { pinBatchData, planBatch, scoreChunk, noteScoredChunks, assembleBatch } =
  proxyActivities<BatchPredictionActivities>({
    startToCloseTimeout: '2 hours',
    heartbeatTimeout: '10 seconds',
    // A source or a store that is away for longer than ten tries needs a person. User mistakes are not retried at all.
    retry: { maximumAttempts: 10, maximumInterval: '30 seconds' },
  });

// Half of the slots that a pipeline worker has by default: the short steps of other jobs find one free.
const CHUNKS_IN_FLIGHT = 2;
// A history may have 400 events: what is in flight then, and the note of what is scored, still come.
const LONG_HISTORY = 300;
/** Percent done when a stage begins. */
const PROGRESS = { make_dataset: 0, planning: 2, scoring: 5, assembling: 95 } as const;
const PROJECTED_STEP = 10; // percent; each projection costs about four events

/** Scores every row of a table with one model version. The same table and version give the same file, byte by byte. */
export const batchPredict = (input: BatchPredictInput): Promise<JobStatus> =>
  runJob(
    'batch_predict',
    { pipeline: null, requested_by: input.requested_by },
    (job) => predict(job, input),
    input.continued?.job,
  );

interface Planned extends Omit<BatchContinuation, 'job' | 'scored'> {
  /** null before the first list of scored chunks. */
  readonly scored: string | null;
}

async function predict(job: Job, input: BatchPredictInput): Promise<void> {
  const { status } = job;
  const gate = pausable(job, () => status.stage !== 'assembling');
  const planned: Planned = input.continued ?? { plan: await plan(job, input, gate), scored: null };
  await gate();
  const { plan: sha256 } = planned;
  const scored = await job.stage('scoring', () => scoreChunks(job, input, planned, gate), progressOf(status));
  await gate();
  const made = await job.stage('assembling', () => assembleBatch({ plan: sha256, scored }), PROGRESS.assembling);
  Object.assign(status.batch!, { output: made.output, manifest_sha256: made.manifest });
}

async function plan(job: Job, { model, source, requested_by }: BatchPredictInput, gate: Gate): Promise<string> {
  const { status } = job;
  status.model = { ...model, uri: `models:/${model.name}/${model.version}` };
  await gate();
  const pin = () => pinBatchData({ source, model: model.name, requested_by });
  const data = await job.stage('make_dataset', pin, PROGRESS.make_dataset);
  status.dataset_version = data.dataset_version;
  await gate();
  const planned = await job.stage('planning', () => planBatch({ model, data }), PROGRESS.planning);
  const { rows, chunks } = planned;
  status.batch = { rows, rows_failed: 0, chunks, chunks_scored: 0, output: null, manifest_sha256: null };
  return planned.plan;
}

/** Scores what is left, as far as this history reaches, and answers where the list of scored chunks is. */
async function scoreChunks(job: Job, input: BatchPredictInput, from: Planned, gate: Gate): Promise<string> {
  const { plan, scored: before } = from;
  const batch = job.status.batch!;
  const first = batch.chunks_scored;
  const chunks: ScoredChunk[] = [];
  let next = first;
  const isLong = () => workflowInfo().historyLength >= LONG_HISTORY;
  const lane = async () => {
    for (;;) {
      await gate(isLong);
      if (next === batch.chunks || isLong()) return;
      const chunk = next++;
      const scored = await scoreChunk({ plan, chunk });
      chunks[chunk - first] = scored;
      advance(job, scored);
    }
  };
  await inParallel(Array<typeof lane>(CHUNKS_IN_FLIGHT).fill(lane));
  const scored = await noteScoredChunks({ before, chunks });
  if (next < batch.chunks) {
    await continueAsNew<(input: BatchPredictInput) => Promise<JobStatus>>({
      ...input,
      continued: { job: job.carried(), plan, scored },
    });
  }
  return scored;
}

/** The first failure cancels the others. */
const inParallel = (work: readonly (() => Promise<void>)[]): Promise<void> =>
  CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    const running = work.map((start) => start());
    try {
      await Promise.all(running);
    } catch (error) {
      scope.cancel();
      await Promise.allSettled(running);
      throw error;
    }
  });

function advance({ status, project }: Job, { rows_failed }: ScoredChunk): void {
  const batch = status.batch!;
  const before = status.progress;
  batch.chunks_scored++;
  batch.rows_failed += rows_failed;
  status.progress = progressOf(status);
  if (Math.floor(status.progress / PROJECTED_STEP) > Math.floor(before / PROJECTED_STEP)) project();
}

function progressOf({ batch }: JobStatus): number {
  const done = batch!.chunks_scored / batch!.chunks;
  return Math.floor(PROGRESS.scoring + done * (PROGRESS.assembling - PROGRESS.scoring));
}
