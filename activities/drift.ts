import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import { ApplicationFailureCategory } from '@temporalio/common';
import type { DriftReportRepository, ReportedWindow } from '../db/drift-reports.ts';
import type { DriftWindowRepository } from '../db/drift-windows.ts';
import type { DriftWindow } from '../db/schema/drift.ts';
import type { ModelVersion } from '../db/schema/models.ts';
import type { DriftSettings } from '../ml/drift/drift-report.ts';
import type { EarlierWindow } from '../ml/drift/window-report.ts';
import type { ComputedWindow, ComputeWindowInput, ReferenceProfile } from './drift-window.ts';
import { heartbeating } from './heartbeat.ts';
import { writeLines } from './write-lines.ts';

export interface AwaitDriftWorkInput {
  readonly endpoint: string;
  /** A time in the period, ISO 8601. Periods are counted from 1970, as Temporal's schedules are. */
  readonly since: string;
  /** Windows up to this number are left alone; 0 for none. */
  readonly after: number;
}
/** The next thing to do for an endpoint. */
export type DriftWork =
  | { readonly kind: 'window'; readonly sequence: number }
  /** Windows with a report, for which labels have arrived. */
  | { readonly kind: 'labels'; readonly sequences: readonly number[] }
  /** The period has ended, and nothing of it is left. */
  | { readonly kind: 'over' };
export interface WindowInput {
  readonly endpoint: string;
  readonly sequence: number;
}
export interface WatchSettings {
  /** Length of a period, in seconds. */
  readonly reportFrequency: number;
  /** Predictions of one version that make a window before the period has ended. */
  readonly bufferSize: number;
  /** Path of a Parquet file that stands for the sample of every version. */
  readonly referenceFile: string | undefined;
}
export interface DriftDeps {
  readonly settings: WatchSettings;
  readonly windows: Pick<DriftWindowRepository, 'close' | 'unfinished' | 'get' | 'finish' | 'lines'>;
  readonly reports: Pick<DriftReportRepository, 'record' | 'find' | 'before'>;
  /** Numbers of the windows with a report for which labels have arrived. */
  readonly relabelledWindows: (endpoint: string) => Promise<readonly number[]>;
  readonly getModel: (name: string, version: number) => Promise<ModelVersion>;
  /** What the newest version of a pipeline says; null for a model from outside. */
  readonly driftSettings: (pipeline: string | null) => Promise<DriftSettings>;
  readonly readProfile: (sha256: string) => Promise<ReferenceProfile>;
  /** Runs in the thread pool. */
  readonly compute: (input: ComputeWindowInput, signal: AbortSignal) => Promise<ComputedWindow>;
  readonly workDirectory: string;
}
export type DriftActivities = ReturnType<typeof createDriftActivities>;

/** A backlog is cut into windows of so many buffers, so that it drains faster than it grows. */
const MOST_BUFFERS = 10;
const EARLIER_WINDOWS = 30;

export const createDriftActivities = (deps: DriftDeps) => ({
  /**
   * Answers as soon as there is something to do. Until then each attempt fails, and Temporal tries again in a second: that
   * holds no slot of the worker, adds nothing to the history, and survives everything.
   */
  awaitDriftWork: async (input: AwaitDriftWorkInput): Promise<DriftWork> => {
    const work = await nextWork(deps, input);
    if (work !== null) return work;
    throw ApplicationFailure.create({
      type: 'NOTHING_YET',
      message: `nothing to do yet for endpoint ${input.endpoint}`,
      category: ApplicationFailureCategory.BENIGN,
      nextRetryDelay: '1 second',
    });
  },

  /**
   * Compares a window with the reference and keeps the report; a repeat changes nothing. `reported` is false when there is
   * nothing to compare: the version is from outside, or retention was faster.
   */
  computeDrift: ({ endpoint, sequence }: WindowInput): Promise<{ readonly reported: boolean }> =>
    heartbeating(async (signal) => {
      const window = await deps.windows.get(endpoint, sequence);
      if (window.finishedAt !== null) return { reported: (await deps.reports.find(endpoint, sequence)) !== null };
      const computed = await computeWindow(deps, window, signal);
      if (computed === null) await deps.windows.finish(endpoint, sequence);
      else await deps.reports.record({ endpoint, sequence, ...computed });
      return { reported: computed !== null };
    }),
});

/** What is closed comes before what is to be closed: windows are computed in order. */
async function nextWork(deps: DriftDeps, { endpoint, since, after }: AwaitDriftWorkInput): Promise<DriftWork | null> {
  const { reportFrequency, bufferSize } = deps.settings;
  const closed = await deps.windows.unfinished(endpoint, after);
  if (closed !== null) return { kind: 'window', sequence: closed };
  const sequence = await deps.windows.close({
    endpoint,
    least: bufferSize,
    most: MOST_BUFFERS * bufferSize,
    periodEnd: endOfPeriod(new Date(since), reportFrequency),
  });
  if (typeof sequence === 'number') return { kind: 'window', sequence };
  const sequences = await deps.relabelledWindows(endpoint);
  if (sequences.length > 0) return { kind: 'labels', sequences };
  return sequence === 'over' ? { kind: 'over' } : null;
}

export function endOfPeriod(time: Date, periodSeconds: number): Date {
  const period = periodSeconds * 1000;
  return new Date((Math.floor(time.getTime() / period) + 1) * period);
}

/** null without a reference, or without a row that is still kept. */
async function computeWindow(deps: DriftDeps, window: DriftWindow, signal: AbortSignal) {
  const version = await deps.getModel(window.model, window.version);
  const { referenceProfileSha256: profileSha256, pipelineName, signature } = version;
  const profile = profileSha256 === null ? null : await deps.readProfile(profileSha256);
  const { referenceFile } = deps.settings;
  const reference = referenceFile === undefined ? profile?.sample : { path: referenceFile };
  if (reference === undefined) return null;
  const { endpoint, sequence } = window;
  const decisive = {
    endpoint,
    sequence,
    model: { name: window.model, version: window.version },
    signature,
    drift: await deps.driftSettings(pipelineName),
    reference,
    calibrated: profile?.estimate?.calibrated ?? false,
    history: (await deps.reports.before(window, EARLIER_WINDOWS)).map(toEarlier).reverse(),
  };
  const directory = await mkdtemp(join(deps.workDirectory, 'drift-rows-'));
  try {
    const rowsFile = join(directory, 'rows.ndjson');
    // Retention may have come before.
    const rows = await writeLines(deps.windows.lines(window), rowsFile, signal);
    if (rows === 0) return null;
    const described = {
      rows,
      first_at: window.firstAt.toISOString(),
      last_at: window.lastAt.toISOString(),
      closed_at: window.closedAt.toISOString(),
    };
    return toReport(await deps.compute({ ...decisive, window: described, rows_file: rowsFile }, signal));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const toEarlier = ({ window, report }: ReportedWindow): EarlierWindow => ({
  sequence: window.sequence,
  closed_at: window.closedAt.toISOString(),
  columns: Object.fromEntries(
    report.columns.map(({ column, method, score, drifted }) => [column, { method, score, drifted }]),
  ),
});

const toReport = (computed: ComputedWindow) => ({
  judged: computed.judged,
  drifted: computed.drifted,
  driftedShare: computed.drifted_share,
  predictionDrifted: computed.prediction_drifted,
  columns: computed.columns,
  estimate: computed.estimate,
  reportSha256: computed.report_sha256,
  pageSha256: computed.page_sha256,
  archiveSha256: computed.archive_sha256,
  sketchesSha256: computed.sketches_sha256,
});
