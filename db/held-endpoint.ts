import { and, count, desc, eq, gt, gte, ne, sql } from 'drizzle-orm';
import type { EarlierRetraining } from '../pipelines/retraining-decision.ts';
import type { AlertSignal } from '../pipelines/window-alerts.ts';
import type { JudgedWindow, LabelledWindow } from '../pipelines/window-evidence.ts';
import { type AlertSubject, applySignals, pendingDeliveries, resolveOtherVersions } from './alert-signals.ts';
import type { Queries } from './connect.ts';
import { isOfWindow } from './drift-reports.ts';
import { driftReports, driftWindows, type StoredDriftReport } from './schema/drift.ts';
import { endpointRevisions, endpoints } from './schema/endpoints.ts';
import { labels, realisedMetrics } from './schema/labels.ts';
import { type Retraining, retrainings } from './schema/retrainings.ts';

/** Number of the lock that responses to an endpoint's windows take, beside its hash. */
const RESPONSE_LOCK = 4_213_381;

export interface ServedVersion {
  readonly model: string;
  readonly version: number;
}
export type NewRetraining = Pick<
  Retraining,
  'sequence' | 'model' | 'version' | 'cause' | 'detail' | 'windows' | 'state' | 'reason' | 'runId'
>;
export type RetrainingEnd = Pick<Retraining, 'state' | 'reason' | 'newVersion' | 'promoted'>;
export type HeldEndpoint = Awaited<ReturnType<typeof holdEndpoint>>;

/** Waits for whoever responds for the endpoint now; then this transaction alone does, until it ends. */
export async function holdEndpoint(tx: Queries, endpoint: string) {
  await tx.execute(sql`select pg_advisory_xact_lock(${RESPONSE_LOCK}::int, hashtext(${endpoint}))`);
  const ofVersion = ({ model, version }: ServedVersion) =>
    and(eq(driftWindows.endpoint, endpoint), eq(driftWindows.model, model), eq(driftWindows.version, version));

  return {
    endpoint,

    isServed: async ({ model, version }: ServedVersion): Promise<boolean> => {
      const [current] = await tx
        .select({ model: endpointRevisions.modelName, version: endpointRevisions.modelVersion })
        .from(endpoints)
        .innerJoin(
          endpointRevisions,
          and(
            eq(endpointRevisions.endpointName, endpoints.name),
            eq(endpointRevisions.revision, endpoints.currentRevision),
          ),
        )
        .where(eq(endpoints.name, endpoint));
      return current?.model === model && current.version === version;
    },

    /** The newest windows of the version that had rows enough to be judged, newest first. */
    judgedWindows: async (served: ServedVersion, limit: number): Promise<JudgedWindow[]> => {
      const rows = await tx
        .select({ report: driftReports, targetDrift: realisedMetrics.targetDrift })
        .from(driftReports)
        .innerJoin(driftWindows, isOfWindow)
        .leftJoin(
          realisedMetrics,
          and(eq(realisedMetrics.endpoint, driftReports.endpoint), eq(realisedMetrics.sequence, driftReports.sequence)),
        )
        .where(and(ofVersion(served), driftReports.judged))
        .orderBy(desc(driftReports.sequence))
        .limit(limit);
      return rows.map(({ report, targetDrift }) => toJudged(report, targetDrift?.drifted ?? false));
    },

    /** The newest windows of the version with labels enough, newest first. */
    labelledWindows: async (served: ServedVersion, minLabels: number, limit: number): Promise<LabelledWindow[]> => {
      const { sequence, labelled, metrics } = realisedMetrics;
      return await tx
        .select({ sequence, labelled, metrics })
        .from(realisedMetrics)
        .innerJoin(
          driftWindows,
          and(eq(driftWindows.endpoint, realisedMetrics.endpoint), eq(driftWindows.sequence, sequence)),
        )
        .where(and(ofVersion(served), gte(labelled, minLabels)))
        .orderBy(desc(sequence))
        .limit(limit);
    },

    /** How many labels of the endpoint's predictions came after `time`, counted up to `most`. */
    labelsSince: async (time: Date, most: number): Promise<number> => {
      const counted = tx
        .select({ receivedAt: labels.receivedAt })
        .from(labels)
        .where(and(eq(labels.endpoint, endpoint), gt(labels.receivedAt, time)))
        .limit(most)
        .as('counted');
      const [row] = await tx.select({ labels: count() }).from(counted);
      return row!.labels;
    },

    /** Retrainings that were started, newest first. */
    earlierRetrainings: async (served: ServedVersion, limit: number): Promise<EarlierRetraining[]> => {
      const rows = await tx
        .select()
        .from(retrainings)
        .where(and(eq(retrainings.endpoint, endpoint), ne(retrainings.state, 'skipped')))
        .orderBy(desc(retrainings.createdAt), desc(retrainings.id))
        .limit(limit);
      return rows.map((row) => toEarlier(row, served));
    },

    /** The retraining that has not ended; null without one. */
    startedRetraining: async (): Promise<Retraining | null> => {
      const [row] = await tx
        .select()
        .from(retrainings)
        .where(and(eq(retrainings.endpoint, endpoint), eq(retrainings.state, 'started')))
        .orderBy(desc(retrainings.createdAt))
        .limit(1);
      return row ?? null;
    },

    /** What was decided for a window; null when nothing was. */
    retrainingOf: async (sequence: number): Promise<Retraining | null> => {
      const [row] = await tx
        .select()
        .from(retrainings)
        .where(and(eq(retrainings.endpoint, endpoint), eq(retrainings.sequence, sequence)));
      return row ?? null;
    },

    /** One row per window: a later decision takes the place of one that started nothing. */
    recordRetraining: async (row: NewRetraining): Promise<void> => {
      await tx
        .insert(retrainings)
        .values({ endpoint, ...row })
        .onConflictDoUpdate({
          target: [retrainings.endpoint, retrainings.sequence],
          set: { ...row, createdAt: sql`now()` },
          setWhere: eq(retrainings.state, 'skipped'),
        });
    },

    /** A started retraining ends once; a repeat changes nothing. */
    endRetraining: async (sequence: number, end: RetrainingEnd): Promise<void> => {
      await tx
        .update(retrainings)
        .set({ ...end, endedAt: sql`now()` })
        .where(
          and(eq(retrainings.endpoint, endpoint), eq(retrainings.sequence, sequence), eq(retrainings.state, 'started')),
        );
    },

    /** Alerts because of a version that was served before are over: `subject` is served now. */
    resolveOtherVersions: (subject: Omit<AlertSubject, 'endpoint'>): Promise<void> =>
      resolveOtherVersions(tx, { ...subject, endpoint }),

    /** Applies what is known now to the alerts, and answers the messages that are to be sent because of it. */
    signal: async (
      subject: Omit<AlertSubject, 'endpoint'>,
      signals: readonly AlertSignal[],
    ): Promise<readonly number[]> => {
      await applySignals(tx, { ...subject, endpoint }, signals);
      return await pendingDeliveries(tx, { ...subject, endpoint });
    },
  };
}

const toJudged = (report: StoredDriftReport, targetDrifted: boolean): JudgedWindow => ({
  sequence: report.sequence,
  drifted: report.drifted,
  prediction_drifted: report.predictionDrifted,
  drifted_columns: [
    ...report.columns.filter(({ drifted }) => drifted).map(({ role, column }) => (role === 'feature' ? column : role)),
    ...(targetDrifted ? ['target'] : []),
  ],
  estimate: report.estimate,
});

const toEarlier = (row: Retraining, { model, version }: ServedVersion): EarlierRetraining => ({
  started_at: row.createdAt,
  ended_at: row.endedAt,
  promoted: row.promoted,
  of_this_version: row.model === model && row.version === version,
  completed: row.state === 'completed',
});
