import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm';
import { notFound } from '../lib/errors.ts';
import type { Connection, Database, Queries } from './connect.ts';
import { driftWindows, type DriftWindow } from './schema/drift.ts';
import { sqlStateOf } from './sql-state.ts';

/** The number of the window that was closed; `later`: none could be; `over`: none is due, and the period has ended. */
export type Closed = number | 'later' | 'over';
/** When a window of an endpoint is closed. */
export interface WindowRule {
  readonly endpoint: string;
  /** So many predictions of one version are enough … */
  readonly least: number;
  /** … until `periodEnd`: what waits then, be it one, is one more window of its version. */
  readonly periodEnd: Date;
  /** What goes beyond is left for the next window. */
  readonly most: number;
}
interface WaitingVersion extends Record<string, unknown> {
  readonly model: string;
  readonly version: number;
  /** Where its last window ended; 0 without one. A bigint comes as text. */
  readonly after: string;
}
export type DriftWindowRepository = ReturnType<typeof createDriftWindowRepository>;

// Held shared by every statement that adds predictions: a trigger takes it (migration 0007).
const POSITIONS_LOCK = 4_213_380;
// Statements that add predictions wait behind who waits for the lock alone.
const POSITIONS_LOCK_TIMEOUT = '2s';
// And behind who has it: a process that is stopped just then loses it.
const LONGEST_HOLD = '5s';
const LOCK_NOT_AVAILABLE = '55P03';
const ROWS_PER_FETCH = 1000;

export const createDriftWindowRepository = ({ db, sql: postgres }: Pick<Connection, 'db' | 'sql'>) => ({
  /** Names of the endpoints that serve a version, in order. */
  servedEndpoints: async (): Promise<string[]> => {
    const rows = await db.execute<{ name: string }>(
      sql`select name from endpoints where current_revision is not null order by name`,
    );
    return rows.map(({ name }) => name);
  },

  /**
   * Closes at most one window. `later` also when another process was faster, or who adds predictions too slow to be
   * waited for. Safe under concurrency, also with who adds predictions.
   */
  close: async (rule: WindowRule): Promise<Closed> => {
    const { isOver, due } = await dueVersion(db, rule);
    if (!due) return isOver ? 'over' : 'later';
    const settled = await settledPosition(db);
    return (settled === null ? null : await closeWindow(db, rule, due, settled)) ?? 'later';
  },

  /** The first window after number `after` that is closed and not finished; null without one. */
  unfinished: async (endpoint: string, after: number): Promise<number | null> => {
    const [row] = await db
      .select({ sequence: driftWindows.sequence })
      .from(driftWindows)
      .where(
        and(eq(driftWindows.endpoint, endpoint), gt(driftWindows.sequence, after), isNull(driftWindows.finishedAt)),
      )
      .orderBy(asc(driftWindows.sequence))
      .limit(1);
    return row?.sequence ?? null;
  },

  /** Throws NOT_FOUND. */
  get: async (endpoint: string, sequence: number): Promise<DriftWindow> => {
    const [row] = await db
      .select()
      .from(driftWindows)
      .where(and(eq(driftWindows.endpoint, endpoint), eq(driftWindows.sequence, sequence)));
    if (!row) throw notFound('drift window', `${endpoint}/${sequence}`);
    return row;
  },

  /** Says that there will be no report. */
  finish: (endpoint: string, sequence: number): Promise<void> => finishWindow(db, endpoint, sequence),

  /**
   * The predictions of a window that are still kept, in the order of their positions, some at a time, each as a line of
   * JSON (WindowRow in activities/drift-window.ts). Postgres writes the lines, so that they cost this process nothing.
   */
  lines: async function* (window: DriftWindow): AsyncGenerator<readonly string[]> {
    const { endpoint, model, version, afterPosition, untilPosition } = window;
    const found = postgres<{ line: string }[]>`
      select json_build_object(
        'id', id, 'created_at', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'features', features, 'entity', entity, 'probability', probability, 'label', label, 'decision', decision)::text as line
      from predictions
      where endpoint = ${endpoint} and model = ${model} and version = ${version}
        and position > ${afterPosition} and position <= ${untilPosition}
      order by position`;
    for await (const rows of found.cursor(ROWS_PER_FETCH)) yield rows.map(({ line }) => line);
  },
});

/** Only once: a repeat changes nothing. */
export async function finishWindow(db: Queries, endpoint: string, sequence: number): Promise<void> {
  const window = and(eq(driftWindows.endpoint, endpoint), eq(driftWindows.sequence, sequence));
  await db
    .update(driftWindows)
    .set({ finishedAt: sql`now()` })
    .where(and(window, isNull(driftWindows.finishedAt)));
}

/** Of the versions that are due, the one whose predictions have waited longest. By the clock of the database alone. */
async function dueVersion(
  db: Database,
  { endpoint, least, periodEnd }: WindowRule,
): Promise<{ readonly isOver: boolean; readonly due: WaitingVersion | undefined }> {
  const end = sql`${periodEnd.toISOString()}::timestamptz`;
  const [clock] = await db.execute<{ is_over: boolean }>(sql`select now() >= ${end} as is_over`);
  const isOver = clock!.is_over;
  const [due] = await db.execute<WaitingVersion>(sql`
    with served as (
      select distinct model_name as model, model_version as version from endpoint_revisions
      where endpoint_name = ${endpoint}
    ), begun as (
      select model, version, coalesce(last.until_position, 0) as after, last.closed_at
      from served left join lateral (
        select until_position, closed_at from drift_windows as earlier
        where earlier.endpoint = ${endpoint} and earlier.model = served.model and earlier.version = served.version
        order by after_position desc limit 1
      ) as last on true
    )
    select model, version, after from begun
    cross join lateral (
      select count(*) as n, min(position) as first from (
        select position from predictions
        where endpoint = ${endpoint} and model = begun.model and version = begun.version and position > begun.after
        order by position limit ${least}
      ) as counted
    ) as waiting
    where ${isOver ? sql`n > 0 and coalesce(begun.closed_at < ${end}, true)` : sql`n >= ${least}`}
    order by first limit 1`);
  return { isOver, due };
}

/**
 * The position up to which everything there will ever be can be seen: who adds predictions holds the lock from before
 * its first position until it commits. null when that takes too long.
 */
async function settledPosition(db: Database): Promise<string | null> {
  try {
    return await db.transaction(async (tx) => {
      await tx.execute(sql.raw(`set local lock_timeout = '${POSITIONS_LOCK_TIMEOUT}'`));
      await tx.execute(sql.raw(`set local idle_in_transaction_session_timeout = '${LONGEST_HOLD}'`));
      await tx.execute(sql`select pg_advisory_xact_lock(${POSITIONS_LOCK})`);
      const [row] = await tx.execute<{ last_value: string }>(sql`select last_value from prediction_positions`);
      return row!.last_value;
    });
  } catch (error) {
    if (sqlStateOf(error) === LOCK_NOT_AVAILABLE) return null;
    throw error;
  }
}

/** Of two that close at once, the second finds the number or the beginning taken. */
async function closeWindow(
  db: Database,
  { endpoint, most }: WindowRule,
  { model, version, after }: WaitingVersion,
  settled: string,
): Promise<number | null> {
  const [closed] = await db.execute<{ sequence: number }>(sql`
    insert into drift_windows
      (endpoint, sequence, model, version, after_position, until_position, rows, first_at, last_at)
    select ${endpoint}, 1 + coalesce((select max(sequence) from drift_windows where endpoint = ${endpoint}), 0),
      ${model}, ${version}, ${after}::bigint, max(position), count(*), min(created_at), max(created_at)
    from (
      select position, created_at from predictions
      where endpoint = ${endpoint} and model = ${model} and version = ${version}
        and position > ${after}::bigint and position <= ${settled}::bigint
      order by position limit ${most}
    ) as rows
    having count(*) > 0
    on conflict do nothing
    returning sequence`);
  return closed?.sequence ?? null;
}
