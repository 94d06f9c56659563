import { z } from '@hono/zod-openapi';
import type { LabelHistory, LabelReport } from '../../db/labels.ts';
import { invalid, problemsOf } from '../router.ts';
import { Name } from './name.ts';
import { PredictionId } from './prediction.ts';
import { timeOf } from './time-window.ts';

export const MAX_LABELS = 10_000;
const MAX_TEXT = 200;

// What Postgres text can hold.
const isStorable = (text: string) => !text.includes('\0') && text.isWellFormed();
const Text = z.string().min(1).max(MAX_TEXT).refine(isStorable, 'must hold neither U+0000 nor half a character');
const Value = z.union([Text, z.number(), z.boolean()], { error: `must be text of 1 to ${MAX_TEXT} characters, a number or a boolean` }); // prettier-ignore
// Greater numbers would arrive as others than they were sent as.
const Entity = z.union([Text, z.int()], { error: `must be text of 1 to ${MAX_TEXT} characters or a whole number` });
const Time = z.iso.datetime({ offset: true });
const Labelled = {
  label: Value.openapi({ description: 'A class of the model that predicted, compared as text' }),
  observed_at: Time.optional().openapi({
    description: 'When it became true; of two labels the later one counts. When it is received unless given',
  }),
};
const ByPrediction = z.strictObject({ prediction_id: PredictionId, ...Labelled }).openapi('LabelOfPrediction');
const ByEntity = z
  .strictObject({
    endpoint: Name,
    entity: Entity.openapi({ description: 'As it came with the row that was predicted' }),
    at: Time.optional().openapi({ description: 'The newest prediction of the entity at or before; now unless given' }),
    ...Labelled,
  })
  .openapi('LabelOfEntity');

/** For the document: what is sent is read by `readLabels`, whose errors name the field. */
export const LabelsBody = z.union([
  ByPrediction,
  ByEntity,
  z.strictObject({ labels: z.array(z.union([ByPrediction, ByEntity])).min(1).max(MAX_LABELS) }), // prettier-ignore
]);
const Batch = z.strictObject({ labels: z.array(z.unknown()).min(1).max(MAX_LABELS) });
const has = (value: unknown, field: string): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, field);

/** One label, or `labels`. Throws INVALID, naming each bad field. */
export function readLabels(body: unknown, now: Date): LabelReport[] {
  if (!has(body, 'labels')) return readRows([{ path: [], value: body }], now);
  const batch = Batch.safeParse(body);
  if (!batch.success) throw invalid(problemsOf(batch.error));
  return readRows(batch.data.labels.map((value, index) => ({ path: ['labels', String(index)], value })), now); // prettier-ignore
}

const MAX_ERRORS = 100; // a wrong batch repeats itself
// Clocks differ.
const AHEAD_MS = 5 * 60_000;

/** @param rows labels as JSON, each with where it stands */
export function readRows(rows: readonly { path: readonly string[]; value: unknown }[], now: Date): LabelReport[] {
  const reports: LabelReport[] = [];
  const problems: ReturnType<typeof problemsOf> = [];
  for (const { path, value } of rows) {
    const parsed = has(value, 'entity') || has(value, 'endpoint') ? ByEntity.safeParse(value) : ByPrediction.safeParse(value); // prettier-ignore
    if (!parsed.success) problems.push(...problemsOf(parsed.error, path));
    else if (isAhead(parsed.data.observed_at, now)) problems.push(aheadOf(path));
    else reports.push(toReport(path.join('.'), parsed.data));
    if (problems.length >= MAX_ERRORS) break;
  }
  if (problems.length > 0) throw invalid(problems.slice(0, MAX_ERRORS));
  return reports;
}

const isAhead = (time: string | undefined, now: Date) =>
  time !== undefined && Date.parse(time) > now.getTime() + AHEAD_MS;
const aheadOf = (path: readonly string[]) => ({
  path: [...path, 'observed_at'].join('.'),
  rule: 'not_future',
  message: 'must not be in the future',
});

const toReport = (path: string, given: z.output<typeof ByPrediction> | z.output<typeof ByEntity>): LabelReport => ({
  path,
  prediction:
    'prediction_id' in given
      ? { predictionId: given.prediction_id }
      : { endpoint: given.endpoint, entity: String(given.entity), at: timeOrNull(given.at) },
  label: String(given.label),
  observedAt: timeOrNull(given.observed_at),
});

const timeOrNull = (text: string | undefined) => (text === undefined ? null : timeOf(text));

export const LabelCounts = z
  .object({
    matched: z.int().openapi({ description: 'The first label of its prediction' }),
    pending: z.int().openapi({ description: 'Its prediction is not here yet; it is matched when it is' }),
    corrected: z.int().openapi({ description: 'Another label than before, observed later' }),
    unchanged: z.int().openapi({ description: 'Said what is known already, or what was observed before it' }),
  })
  .openapi('LabelCounts');

const Reported = { label: z.string(), observed_at: z.iso.datetime(), received_at: z.iso.datetime(), reported_by: z.string() }; // prettier-ignore
export const Label = z
  .object({
    prediction_id: z.string(),
    predicted_at: z.iso.datetime(),
    endpoint: z.string().nullable(),
    model: z.object({ name: z.string(), version: z.int() }),
    ...Reported,
    corrections: z
      .array(z.object({ ...Reported, replaced_at: z.iso.datetime() }))
      .openapi({ description: 'What the label was before, newest first' }),
  })
  .openapi('Label');

export const toLabel = ({ label, corrections }: LabelHistory): z.output<typeof Label> => ({
  prediction_id: label.predictionId,
  predicted_at: label.predictedAt.toISOString(),
  endpoint: label.endpoint,
  model: { name: label.model, version: label.version },
  ...toReported(label),
  corrections: corrections.map((row) => ({ ...toReported(row), replaced_at: row.replacedAt.toISOString() })),
});

const toReported = (row: { label: string; observedAt: Date; receivedAt: Date; reportedBy: string }) => ({
  label: row.label,
  observed_at: row.observedAt.toISOString(),
  received_at: row.receivedAt.toISOString(),
  reported_by: row.reportedBy,
});
