import { descendingOrder, requireSameRows, type Scores } from './ranking.ts';

export type CalibrationBin = { mean_predicted: number; observed_share: number; count: number };

/**
 * Predicted against observed shares in bins of about equal size, as scikit-learn's
 * `calibration_curve(strategy='quantile')`: equal probabilities share a bin, empty bins are left out.
 */
export function calibrationCurve(
  target: Uint8Array,
  probability: Scores,
  { bins = 10, order = descendingOrder(probability) }: { bins?: number; order?: Uint32Array } = {},
): CalibrationBin[] {
  requireSameRows(target, probability);
  if (target.length === 0) return [];
  const ascending = order.toReversed();
  const edges = Array.from({ length: bins - 1 }, (_, i) => quantile(probability, ascending, (i + 1) / bins));
  const totals = edges.concat(Infinity).map(() => ({ predicted: 0, observed: 0, count: 0 }));
  let bin = 0;
  for (const row of ascending) {
    while (bin < edges.length && probability[row]! > edges[bin]!) bin++;
    totals[bin]!.predicted += probability[row]!;
    totals[bin]!.observed += target[row]!;
    totals[bin]!.count++;
  }
  return totals
    .filter(({ count }) => count > 0)
    .map(({ predicted, observed, count }) => ({
      mean_predicted: predicted / count,
      observed_share: observed / count,
      count,
    }));
}

function quantile(values: Scores, ascending: Uint32Array, share: number): number {
  const place = share * (ascending.length - 1);
  const below = values[ascending[Math.floor(place)]!]!;
  const above = values[ascending[Math.ceil(place)]!]!;
  return below + (above - below) * (place - Math.floor(place));
}

/** Mean distance between predicted and observed share over the bins, weighted by their rows (ECE). */
export function expectedCalibrationError(bins: readonly CalibrationBin[]): number | null {
  const rows = bins.reduce((sum, bin) => sum + bin.count, 0);
  if (rows === 0) return null;
  return bins.reduce((sum, bin) => sum + (bin.count / rows) * Math.abs(bin.mean_predicted - bin.observed_share), 0);
}
