import { and, eq, inArray, sql } from 'drizzle-orm';
import type { ColumnDrift } from '../ml/drift/drift-report.ts';
import type { RealisedMetrics } from '../ml/metrics/realised.ts';
import { notFound } from '../lib/errors.ts';
import type { Database } from './connect.ts';
import { driftWindows, type DriftWindow } from './schema/drift.ts';
import { modelVersions, type ModelVersion } from './schema/models.ts';
import { labels, realisedMetrics, type StoredRealisedMetrics } from './schema/labels.ts';

/** The labels of a window, in the order of its predictions. */
export interface WindowLabels {
  readonly labels: readonly string[];
  readonly probabilities: Float32Array;
}
export interface Realised {
  readonly metrics: RealisedMetrics;
  readonly targetDrift: ColumnDrift | null;
}
export interface LabelledWindow {
  readonly window: DriftWindow;
  readonly version: ModelVersion;
}
export type RealisedMetricsRepository = ReturnType<typeof createRealisedMetricsRepository>;

const isWindow = (endpoint: string, sequence: number) =>
  and(eq(driftWindows.endpoint, endpoint), eq(driftWindows.sequence, sequence));

export const createRealisedMetricsRepository = (db: Database) => ({
  /**
   * Finished windows whose labels are not all in their metrics, oldest first; ten at most. None whose labels are deleted in
   * part. It goes from one such window to the next of the same version, and so reads one label of each, not all.
   */
  dirtyWindows: async (endpoint: string): Promise<number[]> => {
    const rows = await db.execute<{ sequence: number }>(sql`
      with recursive dirty as (
        select distinct model_name as model, model_version as version, 0::bigint as until_position, null::integer as sequence,
          false as is_ready
        from endpoint_revisions where endpoint_name = ${endpoint}
        union all
        select dirty.model, dirty.version, found.until_position, found.sequence,
          found.finished_at is not null and not found.labels_dropped
        from dirty
        cross join lateral (
          select position from labels
          where endpoint = ${endpoint} and model = dirty.model and version = dirty.version
            and position > dirty.until_position and not counted
          order by position limit 1
        ) as uncounted
        cross join lateral (
          select sequence, until_position, finished_at, labels_dropped from drift_windows as windows
          where windows.endpoint = ${endpoint} and windows.model = dirty.model and windows.version = dirty.version
            and windows.after_position < uncounted.position
          order by windows.after_position desc limit 1
        ) as found
        where uncounted.position <= found.until_position
      )
      select sequence from dirty where is_ready order by sequence limit 10`);
    return rows.map(({ sequence }) => sequence);
  },

  /** Throws NOT_FOUND. */
  getWindow: async (endpoint: string, sequence: number): Promise<LabelledWindow> => {
    const [row] = await db
      .select({ window: driftWindows, version: modelVersions })
      .from(driftWindows)
      .innerJoin(
        modelVersions,
        and(eq(modelVersions.modelName, driftWindows.model), eq(modelVersions.version, driftWindows.version)),
      )
      .where(isWindow(endpoint, sequence));
    if (!row) throw notFound('drift window', `${endpoint}/${sequence}`);
    return row;
  },

  /**
   * Computes a window's metrics anew from the labels it has now. A label that arrives in the meantime leaves it dirty; two
   * restatements at the same time come one after the other. Nothing is restated from what is left of deleted labels.
   */
  restate: (window: DriftWindow, compute: (found: WindowLabels) => Realised): Promise<void> =>
    db.transaction(async (tx) => {
      const { endpoint, sequence, model, version, afterPosition, untilPosition } = window;
      // Whoever corrects a label waits for its row from here on, and marks it as not counted after us.
      const [held] = await tx.select().from(driftWindows).where(isWindow(endpoint, sequence)).for('no key update');
      if (!held || held.labelsDropped) return;
      const inWindow = sql`${labels.endpoint} = ${endpoint} and ${labels.model} = ${model} and ${labels.version} = ${version}
        and ${labels.position} > ${afterPosition} and ${labels.position} <= ${untilPosition}`;
      const { predictionId, label, probability, position } = labels;
      // In the order of their ids, as `storeLabels` locks them: neither waits for the other in a circle.
      const uncounted = tx
        .select({ predictionId })
        .from(labels)
        .where(sql`${inWindow} and not ${labels.counted}`)
        .orderBy(predictionId)
        .for('update');
      await tx.update(labels).set({ counted: true }).where(inArray(predictionId, uncounted));
      const rows = await tx.select({ label, probability }).from(labels).where(inWindow).orderBy(position);
      const { metrics, targetDrift } = compute({
        labels: rows.map((row) => row.label),
        probabilities: Float32Array.from(rows, (row) => row.probability),
      });
      await tx
        .insert(realisedMetrics)
        .values({
          endpoint,
          sequence,
          metrics,
          targetDrift,
          labelled: rows.length,
          restatedCount: 1,
          computedAt: sql`now()`,
        }) // prettier-ignore
        .onConflictDoUpdate({
          target: [realisedMetrics.endpoint, realisedMetrics.sequence],
          set: {
            ...{ metrics, targetDrift, labelled: rows.length, computedAt: sql`now()` },
            restatedCount: sql`${realisedMetrics.restatedCount} + 1`,
          },
        });
    }),

  /** null before the first label. */
  get: async (endpoint: string, sequence: number): Promise<StoredRealisedMetrics | null> => {
    const [row] = await db
      .select()
      .from(realisedMetrics)
      .where(and(eq(realisedMetrics.endpoint, endpoint), eq(realisedMetrics.sequence, sequence)));
    return row ?? null;
  },
});
