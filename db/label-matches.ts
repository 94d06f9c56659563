import { sql, type SQL } from 'drizzle-orm';
import type { Queries } from './connect.ts';
import { timeOfId } from './prediction-partitions.ts';

/** Which prediction a label is for: by its id, or the newest of an entity at or before a time. */
export type LabelledPrediction =
  { readonly predictionId: string } | { readonly endpoint: string; readonly entity: string; readonly at: Date };
/** A prediction as its label knows it. */
export interface MatchedPrediction {
  readonly id: string;
  readonly predictedAt: Date;
  readonly endpoint: string | null;
  readonly model: string;
  readonly version: number;
  readonly position: number;
  readonly probability: number;
  /** null when the registry does not know the version. */
  readonly classes: { readonly negative: string; readonly positive: string } | null;
}

/** The prediction of each, in their order; null for one that is not here (yet). */
export async function matchPredictions(
  db: Queries,
  wanted: readonly LabelledPrediction[],
): Promise<(MatchedPrediction | null)[]> {
  const numbered = wanted.map((prediction, row) => ({ row, ...prediction }));
  const rows = [
    ...(await find(db, ID, numbered.filter((prediction) => 'predictionId' in prediction))), // prettier-ignore
    ...(await find(db, NEWEST_OF_ENTITY, numbered.filter((prediction) => 'entity' in prediction))), // prettier-ignore
  ];
  const found: (MatchedPrediction | null)[] = wanted.map(() => null);
  for (const { row, predicted_at, position, ...rest } of rows) {
    found[row] = { ...rest, predictedAt: new Date(predicted_at), position: Number(position) };
  }
  return found;
}

type FoundRow = Omit<MatchedPrediction, 'predictedAt'> & { readonly row: number; readonly predicted_at: string };

const ID = sql`p.created_at = ${timeOfId(sql`sent."predictionId"::text`)} and p.id = sent."predictionId" limit 1`;
const NEWEST_OF_ENTITY = sql`p.endpoint = sent.endpoint and p.entity = sent.entity and p.created_at <= sent.at
  order by p.created_at desc, p.id desc limit 1`;

/** @param chosen what follows `where`; its `limit` makes Postgres look up row by row, in the partitions that can have it */
const find = async (db: Queries, chosen: SQL, wanted: readonly object[]): Promise<readonly FoundRow[]> =>
  wanted.length === 0
    ? []
    : await db.execute<FoundRow & Record<string, unknown>>(sql`
        select sent.row, found.id, found.created_at as predicted_at, found.endpoint, found.model, found.version,
          found.position, found.probability, versions.signature -> 'classes' as classes
        from json_to_recordset(${JSON.stringify(wanted)}::json)
          as sent(row integer, "predictionId" uuid, endpoint text, entity text, at timestamptz)
        cross join lateral (select * from predictions p where ${chosen}) found
        left join model_versions versions on versions.model_name = found.model and versions.version = found.version`);
