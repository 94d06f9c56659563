/**
 * Solves A x = b for a symmetric positive semidefinite A, given as rows of its lower triangle, by Cholesky
 * decomposition. Where A is singular (collinear or constant columns without a penalty) the dependent unknown becomes 0.
 */
export function solveSymmetric(lower: readonly Float64Array[], b: Float64Array): Float64Array {
  const factor = decompose(lower);
  const x = Float64Array.from(b);
  for (let i = 0; i < x.length; i++) {
    for (let k = 0; k < i; k++) x[i]! -= factor[i]![k]! * x[k]!;
    x[i] = divide(x[i]!, factor[i]![i]!);
  }
  for (let i = x.length - 1; i >= 0; i--) {
    for (let k = i + 1; k < x.length; k++) x[i]! -= factor[k]![i]! * x[k]!;
    x[i] = divide(x[i]!, factor[i]![i]!);
  }
  return x;
}

/** Pivots that lost all but this share of their diagonal element are rounding noise. */
const SINGULAR = 1e-10;

function decompose(lower: readonly Float64Array[]): Float64Array[] {
  const factor = lower.map((row) => Float64Array.from(row));
  for (let i = 0; i < factor.length; i++) {
    const row = factor[i]!;
    for (let j = 0; j <= i; j++) {
      const other = factor[j]!;
      for (let k = 0; k < j; k++) row[j]! -= row[k]! * other[k]!;
      if (j < i) row[j] = divide(row[j]!, other[j]!);
    }
    row[i] = row[i]! > SINGULAR * lower[i]![i]! ? Math.sqrt(row[i]!) : 0;
  }
  return factor;
}

const divide = (value: number, pivot: number) => (pivot === 0 ? 0 : value / pivot);
