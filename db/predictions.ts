import { and, desc, eq, gte, lt, sql, type SQL } from 'drizzle-orm';
import { notFound, PlatformError } from '../lib/errors.ts';
import type { Database } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { createPartitions, dropPartitions, timeOfId } from './prediction-partitions.ts';
import { sqlStateOf } from './sql-state.ts';
import { endpointRevisions, type EndpointRevision } from './schema/endpoints.ts';
import { modelVersions, type ModelVersion } from './schema/models.ts';
import { type Prediction, predictions } from './schema/predictions.ts';
import { runs } from './schema/runs.ts';
import type { JobStatus } from '../workflows/messages.ts';

export interface PredictionFilter extends PageRequest {
  readonly endpoint?: string | undefined;
  readonly model?: string | undefined;
  readonly version?: number | undefined;
  readonly since?: Date | undefined;
  /** Exclusive. */
  readonly until?: Date | undefined;
}
/** A prediction and what it came from, as far as that is recorded. */
export interface PredictionLineage {
  readonly prediction: Prediction;
  readonly version: ModelVersion | null;
  /** null for a pinned version, which no endpoint served. */
  readonly revision: EndpointRevision | null;
  /** Of the run that deployed the revision. */
  readonly deployment: JobStatus | null;
}
export type PredictionRepository = ReturnType<typeof createPredictionRepository>;

const NO_PARTITION = '23514'; // check_violation; the table has no other check

export const createPredictionRepository = (db: Database) => ({
  /**
   * Adds lines of a spool (each a PredictionRecord or a PredictionBatch, and "\n"), as one statement; ids that are there already stay as they
   * are. Makes the days' partitions. Throws INVALID when a line cannot be stored (then none is), UNAVAILABLE for the rest.
   */
  insert: async (lines: string): Promise<void> => {
    const records = jsonArrayOf(storable(lines));
    try {
      await insertRecords(db, records);
    } catch (error) {
      if (sqlStateOf(error) !== NO_PARTITION) throw failureOf(error);
      try {
        await createPartitions(db, await daysOf(db, records));
        await insertRecords(db, records);
      } catch (again) {
        throw failureOf(again);
      }
    }
  },

  /** `id` must be a UUID. Throws NOT_FOUND. */
  get: async (id: string): Promise<PredictionLineage> => {
    const [row] = await db
      .select({
        prediction: predictions,
        version: modelVersions,
        revision: endpointRevisions,
        deployment: runs.status,
      })
      .from(predictions)
      .leftJoin(
        modelVersions,
        and(eq(modelVersions.modelName, predictions.model), eq(modelVersions.version, predictions.version)),
      )
      .leftJoin(
        endpointRevisions,
        and(
          eq(endpointRevisions.endpointName, predictions.endpoint),
          eq(endpointRevisions.revision, predictions.revision),
        ),
      )
      .leftJoin(runs, eq(runs.id, endpointRevisions.runId))
      .where(and(eq(predictions.createdAt, timeOfId(sql`${id}`)), eq(predictions.id, id)));
    if (!row) throw notFound('prediction', id);
    return row;
  },

  /** Newest first. */
  list: async ({ limit, cursor, ...filter }: PredictionFilter): Promise<Page<Prediction>> => {
    const after = readCursor(cursor, ['uuid']);
    const rows = await db
      .select()
      .from(predictions)
      .where(and(matches(filter), after ? isBefore(after[0]) : undefined))
      .orderBy(desc(predictions.createdAt), desc(predictions.id))
      .limit(limit + 1);
    return toPage(rows, limit, (row) => [row.id]);
  },

  /** Drops the days that were over before `time`; answers their names. */
  dropBefore: (time: Date): Promise<string[]> => dropPartitions(db, time),
});

const FEATURES = sql`case when entity_column is null then features else features - entity_column end`;
/** A number as JavaScript writes it: 42 for what was sent as 42.0. */
const ENTITY = sql`case when entity_column is null then null
  when jsonb_typeof(features -> entity_column) = 'number' then trim_scale((features ->> entity_column)::numeric)::text
  else features ->> entity_column end`;

/** Postgres unpacks the JSON, read once as jsonb: a fifth of the work that arrays of columns are for this process (docs/adr/0016). */
const insertRecords = (db: Database, records: string) =>
  db.execute(sql`
    with record as (
      select * from jsonb_to_recordset(${records}::jsonb) as record(id text, ids text[], endpoint text, revision integer,
        model text, version integer, features jsonb, probability float8, probabilities float8[], label text,
        decision text, cut float8, labels text[], decisions text[], latency_us integer, trace_id text,
        request_id text, caller text, entity_column text)
    ), prediction as (
      select id, features, probability, label, decision,
        endpoint, revision, model, version, latency_us, trace_id, request_id, caller, entity_column
      from record where ids is null
      union all
      select scored.id, scored.features, scored.probability, labels[side], decisions[side],
        endpoint, revision, model, version, latency_us, trace_id, request_id, caller, entity_column
      from record
      cross join lateral rows from (unnest(ids), jsonb_array_elements(record.features), unnest(probabilities))
        as scored(id, features, probability)
      cross join lateral (select case when scored.probability >= cut then 2 else 1 end) as outcome(side)
      where ids is not null
    )
    insert into predictions (id, created_at, features, entity, probability, label, decision,
      endpoint, revision, model, version, latency_us, trace_id, request_id, caller)
    select id::uuid, ${timeOfId(sql`id`)}, ${FEATURES}, ${ENTITY}, probability, label, decision,
      endpoint, revision, model, version, latency_us, trace_id, request_id, caller
    from prediction
    on conflict do nothing`);

async function daysOf(db: Database, records: string): Promise<string[]> {
  const days = await db.execute<{ day: string }>(
    sql`select distinct to_char(${timeOfId(sql`one`)} at time zone 'UTC', 'YYYY-MM-DD') as day
      from json_to_recordset(${records}::json) as record(id text, ids text[]),
        unnest(coalesce(ids, array[id])) as one order by day`,
  );
  return days.map(({ day }) => day);
}

const jsonArrayOf = (lines: string) => `[${lines.trimEnd().replaceAll('\n', ',')}]`;

/** Postgres text holds neither NUL nor half a character, which JSON can only hold escaped: the sign U+FFFD takes their place. */
function storable(lines: string): string {
  if (!lines.includes('\\u')) return lines;
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value === 'string') return plainText(value);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, held]) => [plainText(key), held]));
  };
  const rewritten = (line: string) => {
    if (!line.includes('\\u')) return line;
    try {
      return JSON.stringify(JSON.parse(line, plain));
    } catch {
      return line; // Postgres says what is wrong with it
    }
  };
  return lines.split('\n').map(rewritten).join('\n');
}
const plainText = (text: string) => text.replaceAll('\0', '\u{fffd}').toWellFormed();

/** Without the statement: it holds what callers sent. */
function failureOf(error: unknown): PlatformError {
  const state = sqlStateOf(error);
  // Data exceptions and broken constraints: trying again would not help.
  if (/^2[23]/.test(state)) return new PlatformError('INVALID', `predictions cannot be stored (SQLSTATE ${state})`);
  return new PlatformError('UNAVAILABLE', `predictions were not stored (${state || 'no connection'})`);
}

const matches = ({ endpoint, model, version, since, until }: Omit<PredictionFilter, keyof PageRequest>) =>
  and(
    endpoint === undefined ? undefined : eq(predictions.endpoint, endpoint),
    model === undefined ? undefined : eq(predictions.model, model),
    version === undefined ? undefined : eq(predictions.version, version),
    since && gte(predictions.createdAt, since),
    until && lt(predictions.createdAt, until),
  );

/** Its own condition on the time lets Postgres skip the partitions of later days. */
function isBefore(id: string): SQL {
  const time = timeOfId(sql`${id}`);
  return sql`${predictions.createdAt} <= ${time} and (${predictions.createdAt}, ${predictions.id}) < (${time}, ${id}::uuid)`;
}
