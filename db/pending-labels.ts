import { asc, eq, inArray, lte, sql } from 'drizzle-orm';
import type { Queries } from './connect.ts';
import type { LabelledPrediction } from './label-matches.ts';
import { type PendingLabel, pendingLabels } from './schema/labels.ts';
import type { ReportedLabel } from './settled-label.ts';

export interface WaitingLabel {
  readonly prediction: LabelledPrediction;
  readonly report: ReportedLabel;
}

// A spool ships within seconds or, after a breakdown, much later: the longer a label has waited, the rarer it is tried.
const SOONEST = '5 seconds';
const SHARE_OF_AGE = 0.1;

/**
 * Keeps labels until their prediction is here. The same label again waits once, with its latest time. `endpoints` are
 * those whose predictions the sender may label; null for all.
 */
export async function keepPending(
  tx: Queries,
  waiting: readonly WaitingLabel[],
  endpoints: readonly string[] | null,
): Promise<void> {
  if (waiting.length === 0) return;
  const rows = waiting.map(({ prediction, report }) => ({ ...prediction, ...report }));
  await tx.execute(sql`
    insert into pending_labels (prediction_id, endpoint, entity, at, label, observed_at, received_at, reported_by, endpoints,
      retry_at)
    select "predictionId", endpoint, entity, at, label, max("observedAt"), min("receivedAt"), "reportedBy",
      ${sql.param(endpoints, pendingLabels.endpoints)}::text[], min("receivedAt")
    from json_to_recordset(${JSON.stringify(rows)}::json) as sent("predictionId" uuid, endpoint text, entity text,
      at timestamptz, label text, "observedAt" timestamptz, "receivedAt" timestamptz, "reportedBy" text)
    group by 1, 2, 3, 4, 5, 8 order by 1, 2, 3, 4, 5, 8
    on conflict on constraint pending_labels_key do update set endpoints = excluded.endpoints,
      observed_at = greatest(pending_labels.observed_at, excluded.observed_at)`);
}

/** Those that are due, oldest first; nobody else gets them before the transaction ends. */
export const takeDue = (tx: Queries, now: Date, limit: number): Promise<PendingLabel[]> =>
  tx
    .select()
    .from(pendingLabels)
    .where(lte(pendingLabels.retryAt, now))
    .orderBy(asc(pendingLabels.retryAt), asc(pendingLabels.id))
    .limit(limit)
    .for('update', { skipLocked: true });

export async function forget(tx: Queries, pending: readonly PendingLabel[]): Promise<void> {
  if (pending.length > 0) await tx.delete(pendingLabels).where(inArray(pendingLabels.id, pending.map(({ id }) => id))); // prettier-ignore
}

export async function postpone(tx: Queries, pending: readonly PendingLabel[], now: Date): Promise<void> {
  if (pending.length === 0) return;
  const time = sql`${now.toISOString()}::timestamptz`;
  const wait = sql`greatest(interval '${sql.raw(SOONEST)}', (${time} - ${pendingLabels.receivedAt}) * ${SHARE_OF_AGE}::float8)`;
  await tx
    .update(pendingLabels)
    .set({ retryAt: sql`${time} + ${wait}` })
    .where(inArray(pendingLabels.id, pending.map(({ id }) => id))); // prettier-ignore
}

/** Its prediction is here, but the label cannot be its. */
export async function refuse(tx: Queries, { id }: PendingLabel, reason: string): Promise<void> {
  await tx.update(pendingLabels).set({ retryAt: null, refused: reason }).where(eq(pendingLabels.id, id));
}
