import { and, desc, eq, gte, isNotNull, lt, sql, type SQL } from 'drizzle-orm';
import { accuracy, type Confusion, f1, precision, recall } from '../ml/metrics/confusion.ts';
import type { RealisedMetrics } from '../ml/metrics/realised.ts';
import type { Database } from './connect.ts';
import { type Page, type PageRequest, readCursor, toPage } from './pagination.ts';
import { driftReports, driftWindows, type DriftWindow } from './schema/drift.ts';
import { realisedMetrics, type StoredRealisedMetrics } from './schema/labels.ts';

export interface PerformanceFilter extends PageRequest {
  readonly endpoint: string;
  readonly version?: number | undefined;
  /** Of the time when the window was closed. */
  readonly since?: Date | undefined;
  /** Exclusive. */
  readonly until?: Date | undefined;
}
/** How the predictions of a window did, as far as that is known. */
export interface WindowPerformance {
  readonly window: DriftWindow;
  /** By their labels; null without any. */
  readonly realised: StoredRealisedMetrics | null;
  /** By their probabilities alone; null when those are not calibrated, or there is no report. */
  readonly estimate: Record<string, number> | null;
}
/**
 * Over all labelled rows; `roc_auc` and `pr_auc`, which cannot be added up, are means over the windows that have them, by
 * their labelled rows.
 */
export type VersionMetrics = Omit<RealisedMetrics, 'confusion'>;
/** The windows of one version added up. */
export interface VersionPerformance {
  readonly model: string;
  readonly version: number;
  readonly windows: number;
  readonly rows: number;
  /** null without labels. */
  readonly realised: VersionMetrics | null;
  /** Means over the windows that have an estimate, by their rows. */
  readonly estimate: Readonly<Record<string, number>> | null;
}
export type PerformanceRepository = ReturnType<typeof createPerformanceRepository>;

export const createPerformanceRepository = (db: Database) => ({
  /** Those closed last first. */
  windows: async ({ limit, cursor, ...filter }: PerformanceFilter): Promise<Page<WindowPerformance>> => {
    const after = readCursor(cursor, ['integer']);
    const rows = await db
      .select({ window: driftWindows, realised: realisedMetrics, estimate: driftReports.estimate })
      .from(driftWindows)
      .leftJoin(realisedMetrics, isOf(realisedMetrics))
      .leftJoin(driftReports, isOf(driftReports))
      .where(and(matches(filter), after ? lt(driftWindows.sequence, after[0]) : undefined))
      .orderBy(desc(driftWindows.sequence))
      .limit(limit + 1);
    return toPage(rows, limit, ({ window }) => [window.sequence]);
  },

  /** Totals of the same windows, newest version first. */
  versions: async (filter: Omit<PerformanceFilter, keyof PageRequest>): Promise<VersionPerformance[]> => {
    const rows = await db
      .select({
        ...{ model: driftWindows.model, version: driftWindows.version },
        windows: sql<number>`count(*)::int`,
        rows: sql<number>`sum(${driftWindows.rows})::float8`,
        labelled: sql<number>`coalesce(sum(${realisedMetrics.labelled}), 0)::float8`,
        confusion: perName(['tp', 'fp', 'tn', 'fn'], (name) => sql`coalesce(sum((${realisedMetrics.metrics} -> 'confusion' ->> ${name})::float8), 0)`), // prettier-ignore
        means: perName(MEANS, meanByLabels),
      })
      .from(driftWindows)
      .leftJoin(realisedMetrics, isOf(realisedMetrics))
      .where(matches(filter))
      .groupBy(driftWindows.model, driftWindows.version)
      .orderBy(desc(sql`max(${driftWindows.sequence})`));
    const estimates = await estimatesOf(db, filter);
    return rows.map(({ labelled, confusion, means, ...row }) => ({
      ...row,
      realised: labelled === 0 ? null : totalOf(labelled, confusion as Confusion, means as Means),
      estimate: estimates.get(`${row.model}/${row.version}`) ?? null,
    }));
  },
});

const MEANS = ['positive_rate', 'log_loss', 'brier', 'roc_auc', 'pr_auc'] as const;
type Means = Pick<VersionMetrics, (typeof MEANS)[number]>;

const totalOf = (labelled: number, confusion: Confusion, means: Means): VersionMetrics => ({
  ...{ labelled, ...means, accuracy: accuracy(confusion), precision: precision(confusion) },
  ...{ recall: recall(confusion), f1: f1(confusion) },
});

const isOf = (table: typeof realisedMetrics | typeof driftReports) =>
  and(eq(table.endpoint, driftWindows.endpoint), eq(table.sequence, driftWindows.sequence));

const matches = ({ endpoint, version, since, until }: Omit<PerformanceFilter, keyof PageRequest>) =>
  and(
    eq(driftWindows.endpoint, endpoint),
    version === undefined ? undefined : eq(driftWindows.version, version),
    since && gte(driftWindows.closedAt, since),
    until && lt(driftWindows.closedAt, until),
  );

const perName = (names: readonly string[], value: (name: string) => SQL) =>
  sql<Record<string, number | null>>`json_build_object(${sql.join(names.map((name) => sql`${name}::text, ${value(name)}`), sql`, `)})`; // prettier-ignore

/** Without the windows that do not have it. */
const meanByLabels = (name: string) => {
  const value = sql`(${realisedMetrics.metrics} ->> ${name})::float8`;
  return sql`sum(${value} * ${realisedMetrics.labelled}) / nullif(sum(${realisedMetrics.labelled}) filter (where ${value} is not null), 0)`;
};

async function estimatesOf(db: Database, filter: Omit<PerformanceFilter, keyof PageRequest>) {
  const rows = await db
    .select({
      ...{ model: driftWindows.model, version: driftWindows.version },
      name: sql<string>`estimated.key`,
      mean: sql<number>`sum(estimated.value::text::float8 * ${driftWindows.rows}) / sum(${driftWindows.rows})`,
    })
    .from(driftWindows)
    .innerJoin(driftReports, isOf(driftReports))
    .innerJoin(sql`json_each(${driftReports.estimate}) estimated`, sql`true`)
    .where(and(matches(filter), isNotNull(driftReports.estimate)))
    .groupBy(driftWindows.model, driftWindows.version, sql`estimated.key`)
    .orderBy(sql`estimated.key`);
  const estimates = new Map<string, Record<string, number>>();
  for (const { model, version, name, mean } of rows) {
    const key = `${model}/${version}`;
    estimates.set(key, { ...estimates.get(key), [name]: mean });
  }
  return estimates;
}
