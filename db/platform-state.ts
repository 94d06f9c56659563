import { gt, sql } from 'drizzle-orm';
import type { JobKind, JobState } from '../workflows/messages.ts';
import type { Database } from './connect.ts';
import { driftReports } from './schema/drift.ts';
import { runs } from './schema/runs.ts';

/** An endpoint that serves a version. */
export interface EndpointState {
  readonly endpoint: string;
  readonly model: string;
  readonly version: number;
  /** When the version was registered, in seconds since 1970. */
  readonly createdSeconds: number;
  readonly activatedSeconds: number | null;
  readonly lastPredictionSeconds: number | null;
  /** Predictions of the version that are in no window yet; not more than `MOST_WAITING` are counted. */
  readonly waiting: number;
  /** Windows, of any version, whose report is not made yet. */
  readonly unreported: number;
}
/** The last reported window of the version that an endpoint serves. */
export interface DriftState {
  readonly endpoint: string;
  readonly version: number;
  readonly sequence: number;
  readonly rows: number;
  readonly lastSeconds: number;
  readonly judged: boolean;
  readonly drifted: boolean;
  readonly driftedShare: number;
  readonly predictionDrifted: boolean;
  readonly columns: readonly {
    readonly column: string;
    readonly method: string;
    readonly score: number | null;
    readonly drifted: boolean;
  }[];
  readonly estimate: Readonly<Record<string, number>> | null;
}
/** By their labels, the predictions of the last window of the served version that has some. */
export interface RealisedState {
  readonly endpoint: string;
  readonly version: number;
  readonly labelled: number;
  /** null and objects among them are no single number. */
  readonly metrics: Readonly<Record<string, unknown>>;
}
export interface RunCount {
  readonly kind: JobKind;
  readonly state: JobState;
  readonly count: number;
}
export interface JudgedWindow {
  readonly endpoint: string;
  readonly sequence: number;
  readonly judged: boolean;
  readonly drifted: boolean;
}
export type PlatformStateRepository = ReturnType<typeof createPlatformStateRepository>;

/** Counting more would take longer than anybody needs to see that too many wait. */
const MOST_WAITING = 100_000;

/** What is shown as metrics: a few rows per endpoint, each found by an index. */
export const createPlatformStateRepository = (db: Database) => ({
  endpoints: async (): Promise<EndpointState[]> =>
    await db.execute<Row<EndpointState>>(sql`
      select ${SERVED},
        ${seconds(sql`model.created_at`)} as "createdSeconds",
        ${seconds(sql`served.activated_at`)} as "activatedSeconds",
        ${seconds(sql`(select max(created_at) from predictions where endpoint = served.endpoint_name)`)}
          as "lastPredictionSeconds",
        (select count(*)::integer from (
          select from predictions
          where endpoint = served.endpoint_name and model = served.model_name and version = served.model_version
            and position > coalesce((
              select until_position from drift_windows as earlier
              where earlier.endpoint = served.endpoint_name and earlier.model = served.model_name
                and earlier.version = served.model_version
              order by after_position desc limit 1), 0)
          limit ${MOST_WAITING}) as counted) as waiting,
        (select count(*)::integer from drift_windows
          where endpoint = served.endpoint_name and finished_at is null) as unreported
      from ${FROM_SERVED}
      join model_versions as model on model.model_name = served.model_name and model.version = served.model_version`),

  drift: async (): Promise<DriftState[]> =>
    await db.execute<Row<DriftState>>(sql`
      select ${SERVED}, last.*
      from ${FROM_SERVED}
      cross join lateral (
        select sequence, rows, ${seconds(sql`last_at`)} as "lastSeconds", judged, drifted,
          drifted_share as "driftedShare", prediction_drifted as "predictionDrifted", columns, estimate
        from drift_windows join drift_reports using (endpoint, sequence)
        where endpoint = served.endpoint_name and model = served.model_name and version = served.model_version
        order by after_position desc limit 1) as last`),

  realised: async (): Promise<RealisedState[]> =>
    await db.execute<Row<RealisedState>>(sql`
      select ${SERVED}, last.*
      from ${FROM_SERVED}
      cross join lateral (
        select labelled, metrics from drift_windows join realised_metrics using (endpoint, sequence)
        where endpoint = served.endpoint_name and model = served.model_name and version = served.model_version
        order by after_position desc limit 1) as last`),

  runs: async (): Promise<RunCount[]> =>
    await db
      .select({ kind: runs.kind, state: runs.state, count: sql<number>`count(*)::integer` })
      .from(runs)
      .groupBy(runs.kind, runs.state),

  /** Windows that were reported after a time. */
  windowsSince: async (time: Date): Promise<JudgedWindow[]> => {
    const { endpoint, sequence, judged, drifted } = driftReports;
    return await db
      .select({ endpoint, sequence, judged, drifted })
      .from(driftReports)
      .where(gt(driftReports.computedAt, time))
      .orderBy(endpoint, sequence);
  },
});

type Row<T> = T & Record<string, unknown>;
const SERVED = sql`served.endpoint_name as endpoint, served.model_name as model, served.model_version as version`;
const FROM_SERVED = sql`endpoints join endpoint_revisions as served
  on served.endpoint_name = endpoints.name and served.revision = endpoints.current_revision`;
const seconds = (time: ReturnType<typeof sql>) => sql`extract(epoch from ${time})::float8`;
