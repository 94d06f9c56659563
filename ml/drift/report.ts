import { givesPValue, hasDrifted } from './choose-method.ts';
import type { ComparedRows } from './compare.ts';
import { correctPValues } from './correction.ts';
import type { ColumnDrift, DriftReport, DriftSettings } from './drift-report.ts';

const ORDER = ['feature', 'prediction', 'target'];

/**
 * What compared columns say together: p-values are corrected over all of them, ignored columns left out, and the dataset has
 * drifted when at least `drift_share` of the features has.
 */
export function driftReport(columns: readonly ColumnDrift[], settings: DriftSettings, rows: ComparedRows): DriftReport {
  const judged = rows.current >= settings.min_rows;
  const compared = corrected(
    columns.filter(({ column }) => !settings.ignore.includes(column)),
    settings,
  ).sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role));
  const features = compared.filter(({ role }) => role === 'feature');
  const drifted = features.filter((feature) => feature.drifted).length;
  const share = features.length === 0 ? 0 : drifted / features.length;
  return {
    rows,
    judged,
    drifted: judged && features.length > 0 && share >= settings.drift_share,
    features: { compared: features.length, drifted, share },
    drift_share: settings.drift_share,
    correction: settings.correction,
    columns: compared,
  };
}

function corrected(columns: readonly ColumnDrift[], { correction }: DriftSettings): ColumnDrift[] {
  const isTest = ({ method, score }: ColumnDrift) => givesPValue(method) && score !== null;
  const pValues = correctPValues(
    columns.filter(isTest).map(({ score }) => score!),
    correction,
  );
  let next = 0;
  return columns.map((column) => {
    if (!isTest(column)) return column;
    const score = pValues[next++]!;
    return { ...column, score, drifted: hasDrifted(column.method, score, column.threshold) };
  });
}
