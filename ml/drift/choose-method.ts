import type { DriftMethod } from './drift-report.ts';

const LARGE_REFERENCE = 1000;
const FEW_VALUES = 5;

/** What the choice goes by. */
export interface ColumnShape {
  readonly type: 'numeric' | 'categorical';
  /** Values that the reference has. */
  readonly referenceCount: number;
  /** Different values in both samples together; above 5 the number does not matter. */
  readonly distinct: number;
}

/**
 * Evidently's default for a column: p-values beside up to 1,000 reference values, distances beside more (there a test
 * would call any difference significant).
 */
export function chooseMethod({ type, referenceCount, distinct }: ColumnShape): DriftMethod {
  const few = type === 'categorical' || distinct <= FEW_VALUES;
  if (referenceCount > LARGE_REFERENCE) return few ? 'jensen_shannon' : 'wasserstein';
  if (!few) return 'ks';
  return distinct > 2 ? 'chi_squared' : 'z_test';
}

const P_VALUES: readonly DriftMethod[] = ['ks', 'chi_squared', 'z_test'];

/** Does the method answer a p-value (low = drifted) rather than a distance (high = drifted)? */
export const givesPValue = (method: DriftMethod): boolean => P_VALUES.includes(method);

/** 0.05 for a p-value, 0.1 for a distance: Evidently's defaults. */
export const defaultThreshold = (method: DriftMethod): number => (givesPValue(method) ? 0.05 : 0.1);

export const hasDrifted = (method: DriftMethod, score: number, threshold: number): boolean =>
  givesPValue(method) ? score < threshold : score >= threshold;

export type CellMethod = Exclude<DriftMethod, 'ks' | 'wasserstein'>;

/** Does the method compare counts? The others need order and distance, which categories do not have. */
export const comparesCells = (method: DriftMethod): method is CellMethod => method !== 'ks' && method !== 'wasserstein';
