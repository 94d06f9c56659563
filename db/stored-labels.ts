import { sql } from 'drizzle-orm';
import type { Queries } from './connect.ts';
import type { MatchedPrediction } from './label-matches.ts';
import { labels } from './schema/labels.ts';
import { type LabelOutcome, type ReportedLabel, type SettledLabel, settleLabel } from './settled-label.ts';

export interface MatchedLabel {
  readonly prediction: MatchedPrediction;
  readonly report: ReportedLabel;
}
export type LabelOutcomes = Record<LabelOutcome, number>;
interface Group {
  readonly prediction: MatchedPrediction;
  readonly reports: ReportedLabel[];
}

/**
 * Keeps labels, each settled with what is held already. Rows are locked in the order of their ids, so that calls at the
 * same time neither miss each other's labels nor wait in a circle. To be called in a transaction.
 */
export async function storeLabels(tx: Queries, matched: readonly MatchedLabel[]): Promise<LabelOutcomes> {
  const outcomes: LabelOutcomes = { matched: 0, corrected: 0, unchanged: 0 };
  if (matched.length === 0) return outcomes;
  const groups = byPrediction(matched);
  const fresh = groups.map(({ reports }) => settleLabel(null, reports));
  const inserted = await insertNew(tx, groups, fresh);
  const known = groups.filter(({ prediction }) => !inserted.has(prediction.id));
  const held = await lockHeld(tx, known);
  const settled = known.map(({ prediction, reports }) => settleLabel(held.get(prediction.id) ?? null, reports));
  const changed = known.flatMap(({ prediction }, index) =>
    settled[index]!.label === held.get(prediction.id) ? [] : [{ id: prediction.id, ...settled[index]!.label }],
  );
  await update(tx, changed);
  const isNew = ({ prediction }: Group) => inserted.has(prediction.id);
  const all = [
    ...groups.flatMap((group, index) => (isNew(group) ? [[group, fresh[index]!] as const] : [])),
    ...known.map((group, index) => [group, settled[index]!] as const),
  ];
  await insertReplaced(tx, all);
  for (const [, result] of all) for (const outcome of result.outcomes) outcomes[outcome]++;
  return outcomes;
}

function byPrediction(matched: readonly MatchedLabel[]): Group[] {
  const groups = new Map<string, Group>();
  for (const { prediction, report } of matched) {
    const group = groups.get(prediction.id);
    if (group) group.reports.push(report);
    else groups.set(prediction.id, { prediction, reports: [report] });
  }
  return [...groups.values()].sort((a, b) => (a.prediction.id < b.prediction.id ? -1 : 1));
}

async function insertNew(tx: Queries, groups: readonly Group[], settled: readonly SettledLabel[]) {
  const rows = groups.map(({ prediction: { classes: _, ...prediction } }, index) => ({
    ...prediction,
    ...settled[index]!.label,
  }));
  const inserted = await tx.execute<{ id: string }>(sql`
    insert into labels (prediction_id, predicted_at, endpoint, model, version, position, probability, label,
      observed_at, received_at, reported_by)
    select id, "predictedAt", endpoint, model, version, position, probability, label, "observedAt", "receivedAt",
      "reportedBy"
    from json_to_recordset(${JSON.stringify(rows)}::json) as sent(id uuid, "predictedAt" timestamptz, endpoint text,
      model text, version integer, position bigint, probability float8, label text, "observedAt" timestamptz,
      "receivedAt" timestamptz, "reportedBy" text)
    order by id
    on conflict do nothing
    returning prediction_id as id`);
  return new Set(inserted.map(({ id }) => id));
}

async function lockHeld(tx: Queries, groups: readonly Group[]): Promise<Map<string, ReportedLabel>> {
  if (groups.length === 0) return new Map();
  const ids = JSON.stringify(groups.map(({ prediction }) => prediction.id));
  const { predictionId, label, observedAt, receivedAt, reportedBy } = labels;
  const rows = await tx
    .select({ predictionId, label, observedAt, receivedAt, reportedBy })
    .from(labels)
    .where(sql`${predictionId} in (select value::uuid from json_array_elements_text(${ids}::json))`)
    .orderBy(predictionId)
    .for('update');
  return new Map(rows.map(({ predictionId: id, ...held }) => [id, held]));
}

async function update(tx: Queries, changed: readonly (ReportedLabel & { readonly id: string })[]): Promise<void> {
  if (changed.length === 0) return;
  await tx.execute(sql`
    update labels set label = sent.label, observed_at = "observedAt", received_at = "receivedAt",
      reported_by = "reportedBy", counted = labels.counted and labels.label = sent.label
    from json_to_recordset(${JSON.stringify(changed)}::json) as sent(id uuid, label text, "observedAt" timestamptz,
      "receivedAt" timestamptz, "reportedBy" text)
    where prediction_id = id`);
}

/** Each is replaced when the report after it arrived. */
async function insertReplaced(tx: Queries, all: readonly (readonly [Group, SettledLabel])[]): Promise<void> {
  const rows = all.flatMap(([{ prediction }, { label, replaced }]) =>
    replaced.map((report, index) => ({
      id: prediction.id,
      ...report,
      replacedAt: (replaced[index + 1] ?? label).receivedAt,
    })),
  );
  if (rows.length === 0) return;
  await tx.execute(sql`
    insert into label_corrections (prediction_id, label, observed_at, received_at, reported_by, replaced_at)
    select id, label, "observedAt", "receivedAt", "reportedBy", "replacedAt"
    from json_to_recordset(${JSON.stringify(rows)}::json) as sent(id uuid, label text, "observedAt" timestamptz,
      "receivedAt" timestamptz, "reportedBy" text, "replacedAt" timestamptz)`);
}
