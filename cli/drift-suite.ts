import { z } from 'zod';
import type { ColumnDrift, DriftReport } from '../ml/drift/drift-report.ts';
import { DriftPolicy } from '../pipelines/drift-policy.ts';

const Share = z.number().min(0).max(1);
const ColumnTests = z.strictObject({
  /** false: the column must not have drifted. */
  drifted: z.literal(false).optional(),
  max_missing_share: Share.optional(),
  max_new_category_share: Share.optional(),
  max_out_of_range_share: Share.optional(),
});

/** What must hold of a comparison, and how it is made. */
export const DriftSuite = z.strictObject({
  /** Of the current table. */
  min_rows: z.int().min(1).optional(),
  /** false: the features must not have drifted, by `drift.drift_share`. */
  drifted: z.literal(false).optional(),
  /** Of the features. */
  max_drifted_share: Share.optional(),
  columns: z.record(z.string(), ColumnTests).default({}),
  /** As in a pipeline's definition, for columns of any name. */
  drift: DriftPolicy.extend({
    ignore: z.array(z.string()).default([]),
    columns: z.record(z.string(), DriftPolicy.shape.columns.unwrap().valueType).default({}),
  }).prefault({}),
});
export type DriftSuite = z.output<typeof DriftSuite>;

export interface TestResult {
  /** As `age: missing share`. */
  readonly test: string;
  readonly passed: boolean;
  /** As `0.3, at most 0.1`. */
  readonly found: string;
}

/** Every test of the suite, in its order. What is not judged, or not there, has not passed. */
export function testReport(suite: DriftSuite, report: DriftReport): TestResult[] {
  const { min_rows, drifted, max_drifted_share, columns } = suite;
  const rows = report.rows.current;
  const byName = new Map(report.columns.map((column) => [column.column, column]));
  const { share, ...features } = report.features;
  const found = `${features.drifted} of ${features.compared}, less than a share of ${report.drift_share}`;
  const together = [
    ...(drifted === undefined ? [] : [{ test: 'no drift of the features', passed: !report.drifted, found }]),
    ...atMost('drifted share of the features', share, max_drifted_share),
  ];
  return [
    ...(min_rows === undefined
      ? []
      : [{ test: 'rows', passed: rows >= min_rows, found: `${rows}, at least ${min_rows}` }]),
    ...together.map((test) => judgedOnly(report, test)),
    ...Object.entries(columns).flatMap(([name, tests]) => testColumn(name, tests, report, byName.get(name))),
  ];
}

function testColumn(
  name: string,
  tests: z.output<typeof ColumnTests>,
  report: DriftReport,
  column: ColumnDrift | undefined,
): TestResult[] {
  if (!column) return [{ test: name, passed: false, found: 'the column was not compared' }];
  const { method, score, threshold, drifted, missing, new_categories, out_of_range } = column;
  const found = `${method} ${score === null ? 'without a score' : shown(score)}, threshold ${threshold}`;
  return [
    ...(tests.drifted === undefined
      ? []
      : [judgedOnly(report, { test: `${name}: no drift`, passed: !drifted, found })]),
    ...atMost(`${name}: missing share`, missing.current, tests.max_missing_share),
    ...atMost(`${name}: share of new categories`, new_categories.share, tests.max_new_category_share),
    ...atMost(`${name}: share out of range`, out_of_range, tests.max_out_of_range_share),
  ];
}

const judgedOnly = ({ judged, rows }: DriftReport, test: TestResult): TestResult =>
  judged ? test : { ...test, passed: false, found: `${rows.current} rows are too few to judge by` };

const atMost = (test: string, value: number, most: number | undefined): TestResult[] =>
  most === undefined ? [] : [{ test, passed: value <= most, found: `${shown(value)}, at most ${most}` }];

/** Four significant digits. */
export const shown = (value: number): string => String(Number(value.toPrecision(4)));
