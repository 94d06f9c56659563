import { and, desc, eq, lt, not, sql } from 'drizzle-orm';
import { classText } from '../ml/class-text.ts';
import { type ErrorDetail, notFound, PlatformError } from '../lib/errors.ts';
import type { Database, Queries } from './connect.ts';
import { type LabelledPrediction, type MatchedPrediction, matchPredictions } from './label-matches.ts';
import { forget, keepPending, postpone, refuse, takeDue } from './pending-labels.ts';
import { driftWindows } from './schema/drift.ts';
import { type Label, labelCorrections, labels, type PendingLabel, pendingLabels } from './schema/labels.ts';
import { type MatchedLabel, storeLabels } from './stored-labels.ts';

export type AwaitedPrediction =
  | { readonly predictionId: string }
  /** `at` is null for the newest when the label is received. */
  | { readonly endpoint: string; readonly entity: string; readonly at: Date | null };
export interface LabelReport {
  /** Where it stands in what was sent: begins the path of its errors. */
  readonly path: string;
  readonly prediction: AwaitedPrediction;
  readonly label: string;
  /** null for when it is received. */
  readonly observedAt: Date | null;
}
export interface ReceivedLabels {
  readonly reports: readonly LabelReport[];
  readonly receivedAt: Date;
  readonly reportedBy: string;
  /** The endpoints whose predictions the sender may label; null for all. */
  readonly endpoints?: readonly string[] | null;
}
/** How many of the reports did what. */
export interface LabelCounts {
  /** The first label of its prediction. */
  readonly matched: number;
  /** No prediction like that is here yet; looked for again by `matchPending`. */
  readonly pending: number;
  readonly corrected: number;
  /** Said what is known already, or what was observed before it. */
  readonly unchanged: number;
}
export interface LabelHistory {
  readonly label: Label;
  /** Newest first. */
  readonly corrections: readonly (typeof labelCorrections.$inferSelect)[];
}
export type LabelRepository = ReturnType<typeof createLabelRepository>;

const MAX_DETAILS = 100; // a wrong file repeats itself

export const createLabelRepository = (db: Database) => ({
  /**
   * Takes labels, all or none. Throws INVALID naming each report whose label is no class of the model that predicted, or
   * whose endpoint keeps no entities, and FORBIDDEN for a prediction of another endpoint than the sender's.
   */
  receive: ({ reports, receivedAt, reportedBy, endpoints = null }: ReceivedLabels): Promise<LabelCounts> =>
    db.transaction(async (tx) => {
      await requireEntities(tx, reports);
      const wanted = reports.map(({ prediction }) => wantedOf(prediction, receivedAt));
      const found = await matchPredictions(tx, wanted);
      if (endpoints) requireEndpoints(endpoints, found);
      const judged = reports.map(({ label }, index) => found[index] && judge(found[index], label));
      refuseWrong(reports, judged);
      const reportOf = ({ label, observedAt }: LabelReport) => ({
        ...{ label, observedAt: observedAt ?? receivedAt, receivedAt, reportedBy },
      });
      const matched = reports.flatMap((sent, index) => matchOf(found[index], judged[index], reportOf(sent)));
      const waiting = reports.flatMap((sent, index) =>
        found[index] ? [] : [{ prediction: wanted[index]!, report: reportOf(sent) }],
      );
      await keepPending(tx, waiting, endpoints);
      return { ...(await storeLabels(tx, matched)), pending: waiting.length };
    }),

  /**
   * Looks again for the predictions of labels that wait; at most `limit`, those that are due. Safe under concurrency.
   * Answers how many it looked at, and what was found. What is no class of the model, or is a prediction of another
   * endpoint than the sender's, is refused.
   */
  matchPending: (now: Date, limit: number) =>
    db.transaction(async (tx) => {
      const due = await takeDue(tx, now, limit);
      const found = await matchPredictions(tx, due.map(predictionOf));
      const judged = due.map((pending, index) => found[index] && judgePending(found[index], pending));
      const matched = due.flatMap((pending, index) => matchOf(found[index], judged[index], pending));
      await storeLabels(tx, matched);
      for (const [index, pending] of due.entries()) {
        const verdict = judged[index];
        if (verdict && 'wrong' in verdict) await refuse(tx, pending, verdict.wrong);
      }
      await forget(tx, due.filter((_, index) => judged[index] && 'label' in judged[index])); // prettier-ignore
      await postpone(tx, due.filter((_, index) => !found[index]), now); // prettier-ignore
      const refused = judged.filter((verdict) => verdict && 'wrong' in verdict).length;
      return { looked: due.length, matched: matched.length, refused };
    }),

  /** Throws NOT_FOUND, also while the prediction of a label is not here. */
  get: async (predictionId: string): Promise<LabelHistory> => {
    const [label] = await db.select().from(labels).where(eq(labels.predictionId, predictionId));
    if (!label) throw notFound('label of prediction', predictionId);
    const corrections = await db
      .select()
      .from(labelCorrections)
      .where(eq(labelCorrections.predictionId, predictionId))
      .orderBy(desc(labelCorrections.id));
    return { label, corrections };
  },

  /**
   * Forgets labels of predictions from before `time`, and those that have waited since. The metrics of windows that lose
   * labels so stay as they are from now on.
   */
  dropBefore: (time: Date): Promise<void> =>
    db.transaction(async (tx) => {
      const { firstAt, labelsDropped } = driftWindows;
      await tx
        .update(driftWindows)
        .set({ labelsDropped: true })
        .where(and(lt(firstAt, time), not(labelsDropped)));
      await tx.delete(labels).where(lt(labels.predictedAt, time));
      await tx.delete(pendingLabels).where(lt(pendingLabels.receivedAt, time));
    }),
});

const wantedOf = (prediction: AwaitedPrediction, receivedAt: Date): LabelledPrediction =>
  'predictionId' in prediction ? prediction : { ...prediction, at: prediction.at ?? receivedAt };

const predictionOf = ({ predictionId, endpoint, entity, at }: PendingLabel): LabelledPrediction =>
  predictionId === null ? { endpoint: endpoint!, entity: entity!, at: at! } : { predictionId };

/** A label as its model's signature writes it, or what is wrong with it. */
type Verdict = { readonly label: string } | { readonly wrong: string };

function judge({ model, version, classes }: MatchedPrediction, label: string): Verdict {
  if (classes === null) return { wrong: `the registry does not know models:/${model}/${version}` };
  const text = classText(label);
  const known = [classes.negative, classes.positive].find((name) => classText(name) === text);
  if (known !== undefined) return { label: known };
  return {
    wrong: `must be '${classes.negative}' or '${classes.positive}', the classes of models:/${model}/${version}`,
  };
}

const judgePending = (prediction: MatchedPrediction, { label, endpoints }: PendingLabel): Verdict =>
  mayLabel(endpoints, prediction) ? judge(prediction, label) : { wrong: OTHER_ENDPOINT };

const matchOf = (
  prediction: MatchedPrediction | null | undefined,
  verdict: Verdict | null | undefined,
  { observedAt, receivedAt, reportedBy }: MatchedLabel['report'],
): MatchedLabel[] =>
  prediction && verdict && 'label' in verdict
    ? [{ prediction, report: { label: verdict.label, observedAt, receivedAt, reportedBy } }]
    : [];

function refuseWrong(reports: readonly LabelReport[], judged: readonly (Verdict | null | undefined)[]): void {
  const details = reports.flatMap(({ path }, index): ErrorDetail[] => {
    const verdict = judged[index];
    return verdict && 'wrong' in verdict
      ? [{ path: within(path, 'label'), rule: 'class', message: verdict.wrong }]
      : [];
  });
  refuseWith(details);
}

/** An endpoint that no version with an entity was ever served by has no prediction of one. */
async function requireEntities(tx: Queries, reports: readonly LabelReport[]): Promise<void> {
  const named = new Set(reports.flatMap(({ prediction }) => ('endpoint' in prediction ? [prediction.endpoint] : [])));
  if (named.size === 0) return;
  const rows = await tx.execute<{ name: string }>(sql`
    select distinct revisions.endpoint_name as name from endpoint_revisions revisions
    join model_versions versions on versions.model_name = revisions.model_name and versions.version = revisions.model_version
    where versions.signature ->> 'entity' is not null
      and revisions.endpoint_name in (select json_array_elements_text(${JSON.stringify([...named])}::json))`);
  const keeping = new Set(rows.map(({ name }) => name));
  const details = reports.flatMap(({ path, prediction }): ErrorDetail[] => {
    if (!('endpoint' in prediction) || keeping.has(prediction.endpoint)) return [];
    const message = `no version served as '${prediction.endpoint}' names an entity column; label by prediction_id`;
    return [{ path: within(path, 'endpoint'), rule: 'entity', message }];
  });
  refuseWith(details);
}

function requireEndpoints(endpoints: readonly string[], found: readonly (MatchedPrediction | null)[]): void {
  if (found.every((prediction) => !prediction || mayLabel(endpoints, prediction))) return;
  throw new PlatformError('FORBIDDEN', OTHER_ENDPOINT);
}

const OTHER_ENDPOINT = 'this API key is for other endpoints';
const mayLabel = (endpoints: readonly string[] | null, { endpoint }: MatchedPrediction) =>
  endpoints === null || endpoints.includes(endpoint ?? '');

function refuseWith(details: readonly ErrorDetail[]): void {
  if (details.length === 0) return;
  const message = details.length === 1 ? '1 label is not valid' : `${details.length} labels are not valid`;
  throw new PlatformError('INVALID', message, { details: details.slice(0, MAX_DETAILS) });
}

const within = (path: string, field: string) => (path === '' ? field : `${path}.${field}`);
