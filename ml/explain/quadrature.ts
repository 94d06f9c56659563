/** Points and weights of a rule that integrates over 0 to 1. */
export interface Quadrature {
  readonly points: Float64Array;
  readonly weights: Float64Array;
}

const MAX_STEPS = 100;

/**
 * Gauss-Legendre quadrature over [0, 1] (Davis & Rabinowitz, Methods of Numerical Integration, 2nd ed., § 2.7): exact
 * for polynomials of degree 2 · `count` − 1. The points are the roots of the Legendre polynomial, found by Newton's method.
 */
export function gaussLegendre(count: number): Quadrature {
  const points = new Float64Array(count);
  const weights = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    let root = Math.cos((Math.PI * (index + 0.75)) / (count + 0.5));
    let [value, slope] = legendre(count, root);
    for (let step = 0; step < MAX_STEPS && Math.abs(value / slope) > Number.EPSILON; step++) {
      root -= value / slope;
      [value, slope] = legendre(count, root);
    }
    points[index] = (1 + root) / 2;
    weights[index] = 1 / ((1 - root * root) * slope * slope);
  }
  return { points, weights };
}

/** Value and slope of the Legendre polynomial of a degree, by Bonnet's recursion. */
function legendre(degree: number, x: number): [value: number, slope: number] {
  let [before, value] = [1, x];
  for (let n = 2; n <= degree; n++) [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
  return [value, (degree * (x * value - before)) / (x * x - 1)];
}
