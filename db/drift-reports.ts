import { and, asc, desc, eq, gte, lt, or, sql } from 'drizzle-orm';
import { notFound } from '../lib/errors.ts';
import type { Database } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { finishWindow } from './drift-windows.ts';
import { driftReports, driftWindows, type DriftWindow, type StoredDriftReport } from './schema/drift.ts';

export interface DriftReportFilter extends PageRequest {
  readonly endpoint?: string | undefined;
  readonly model?: string | undefined;
  readonly version?: number | undefined;
  readonly drifted?: boolean | undefined;
  /** Of the time when the window was closed. */
  readonly since?: Date | undefined;
  /** Exclusive. */
  readonly until?: Date | undefined;
}
/** A window and what was found in it. */
export interface ReportedWindow {
  readonly window: DriftWindow;
  readonly report: StoredDriftReport;
}
export type NewDriftReport = Omit<StoredDriftReport, 'computedAt'>;
export type DriftReportRepository = ReturnType<typeof createDriftReportRepository>;

/** Joins a report with its window. */
export const isOfWindow = and(
  eq(driftWindows.endpoint, driftReports.endpoint),
  eq(driftWindows.sequence, driftReports.sequence),
);

export const createDriftReportRepository = (db: Database) => ({
  /** Keeps what was found in a window, which is then finished; a report that is there already stays as it is. */
  record: (report: NewDriftReport): Promise<void> =>
    db.transaction(async (tx) => {
      await tx.insert(driftReports).values(report).onConflictDoNothing();
      await finishWindow(tx, report.endpoint, report.sequence);
    }),

  /** null for a window without a report. */
  find: (endpoint: string, sequence: number): Promise<ReportedWindow | null> => findReported(db, endpoint, sequence),

  /** Throws NOT_FOUND, also for a window without a report. */
  get: async (endpoint: string, sequence: number): Promise<ReportedWindow> => {
    const found = await findReported(db, endpoint, sequence);
    if (!found) throw notFound('drift report', `${endpoint}/${sequence}`);
    return found;
  },

  /** Those closed last first. */
  list: async ({ limit, cursor, ...filter }: DriftReportFilter): Promise<Page<ReportedWindow>> => {
    const after = readCursor(cursor, ['time', 'text', 'integer']);
    const { closedAt, endpoint, sequence } = driftWindows;
    const rows = await selectReported(db)
      .where(and(matches(filter), after ? comesAfter(...after) : undefined))
      .orderBy(desc(closedAt), asc(endpoint), desc(sequence))
      .limit(limit + 1);
    return toPage(rows, limit, ({ window }) => [window.closedAt, window.endpoint, window.sequence]);
  },

  /** Removes what was computed before `time` and answers how many; their windows stay, for they say where the next begin. */
  removeBefore: async (time: Date): Promise<number> => {
    const removed = await db
      .delete(driftReports)
      .where(lt(driftReports.computedAt, time))
      .returning({ endpoint: driftReports.endpoint });
    return removed.length;
  },

  /** Reports of earlier windows of the same version, the newest first. */
  before: async (
    { endpoint, model, version, sequence }: Pick<DriftWindow, 'endpoint' | 'model' | 'version' | 'sequence'>,
    limit: number,
  ): Promise<ReportedWindow[]> =>
    await selectReported(db)
      .where(and(matches({ endpoint, model, version }), lt(driftWindows.sequence, sequence)))
      .orderBy(desc(driftWindows.sequence))
      .limit(limit),
});

const selectReported = (db: Database) =>
  db.select({ window: driftWindows, report: driftReports }).from(driftReports).innerJoin(driftWindows, isOfWindow);

async function findReported(db: Database, endpoint: string, sequence: number): Promise<ReportedWindow | null> {
  const [row] = await selectReported(db).where(
    and(eq(driftReports.endpoint, endpoint), eq(driftReports.sequence, sequence)),
  );
  return row ?? null;
}

const comesAfter = (closedAt: Date, endpoint: string, sequence: number) =>
  or(
    lt(driftWindows.closedAt, closedAt),
    and(
      eq(driftWindows.closedAt, closedAt),
      sql`(${driftWindows.endpoint}, -${driftWindows.sequence}) > (${endpoint}, ${-sequence})`,
    ),
  );

const matches = ({ endpoint, model, version, drifted, since, until }: Omit<DriftReportFilter, keyof PageRequest>) =>
  and(
    endpoint === undefined ? undefined : eq(driftWindows.endpoint, endpoint),
    model === undefined ? undefined : eq(driftWindows.model, model),
    version === undefined ? undefined : eq(driftWindows.version, version),
    drifted === undefined ? undefined : eq(driftReports.drifted, drifted),
    since && gte(driftWindows.closedAt, since),
    until && lt(driftWindows.closedAt, until),
  );
