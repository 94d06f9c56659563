import { binnedCells, countDistinctOfBoth, distinctCells, numericCells, type Cells } from './cells.ts';
import { comparesCells, type CellMethod } from './choose-method.ts';
import { chiSquared } from './chi-squared.ts';
import type { DriftMethod } from './drift-report.ts';
import { hellinger } from './hellinger.ts';
import { jensenShannon } from './jensen-shannon.ts';
import { kolmogorovSmirnovStatistic, kolmogorovSmirnovTail } from './kolmogorov-smirnov.ts';
import { kullbackLeibler } from './kullback-leibler.ts';
import type { PreparedNumbers } from './prepared-column.ts';
import { psi } from './psi.ts';
import { totalVariation } from './total-variation.ts';
import { normedWasserstein } from './wasserstein.ts';
import { zTest } from './z-test.ts';

const OVER_CELLS: Record<CellMethod, (reference: Float64Array, current: Float64Array) => number> = {
  chi_squared: chiSquared,
  z_test: zTest,
  jensen_shannon: jensenShannon,
  psi,
  hellinger,
  total_variation: totalVariation,
  kullback_leibler: kullbackLeibler,
};

/** p-value or distance of two samples of numbers, neither empty, over the cells Evidently uses for the method. */
export function scoreNumbers(method: DriftMethod, reference: PreparedNumbers, current: PreparedNumbers): number {
  if (comparesCells(method)) return scoreCells(method, cellsFor(method, reference, current));
  if (method === 'wasserstein') return normedWasserstein(reference.sorted, current.sorted, reference.deviation);
  const statistic = kolmogorovSmirnovStatistic(reference.sorted, current.sorted);
  return kolmogorovSmirnovTail(statistic, reference.count, current.count);
}

function cellsFor(method: CellMethod, reference: PreparedNumbers, current: PreparedNumbers): Cells {
  if (method === 'hellinger')
    return binnedCells(reference, current, countDistinctOfBoth(reference.sorted, current.sorted));
  return method === 'z_test' ? distinctCells(reference, current) : numericCells(reference, current);
}

/** p-value or distance of counts over the same cells, neither sample empty. */
export function scoreCells(method: CellMethod, { reference, current }: Cells): number {
  return OVER_CELLS[method](reference, current);
}
