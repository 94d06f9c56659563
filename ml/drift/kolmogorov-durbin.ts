const TOO_GREAT = 2 ** 128;

/**
 * P(D < d) for `n` values by Durbin's matrix, as Marsaglia, Tsang & Wang wrote it ("Evaluating Kolmogorov's
 * distribution", 2003): exact; the matrix has about 2 n d rows.
 */
export function durbin(d: number, n: number): number {
  const k = Math.ceil(n * d);
  const size = 2 * k - 1;
  const power = raise({ values: stepMatrix(k, k - n * d), exponent: 0 }, n, size, k);
  let { exponent } = power;
  let chance = power.values[(k - 1) * size + k - 1]!;
  for (let i = 1; i <= n; i++) {
    chance = (i * chance) / n;
    if (chance < 1 / TOO_GREAT) {
      chance *= TOO_GREAT;
      exponent--;
    }
  }
  return chance * TOO_GREAT ** exponent;
}

function stepMatrix(k: number, h: number): Float64Array {
  const size = 2 * k - 1;
  const inverseFactorial = new Float64Array(size + 1).fill(1);
  for (let i = 1; i <= size; i++) inverseFactorial[i] = inverseFactorial[i - 1]! / i;
  const matrix = new Float64Array(size * size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column <= Math.min(row + 1, size - 1); column++)
      matrix[row * size + column] = inverseFactorial[row - column + 1]!;
  for (let i = 0; i < size; i++) {
    const first = (1 - h ** (i + 1)) * inverseFactorial[i + 1]!;
    matrix[i * size] = first;
    matrix[(size - 1) * size + size - 1 - i] = first;
  }
  const corner = 1 - 2 * h ** size + Math.max(2 * h - 1, 0) ** size;
  matrix[(size - 1) * size] = corner * inverseFactorial[size]!;
  return matrix;
}

/** A matrix times 2 ** (128 · exponent). */
interface Scaled {
  values: Float64Array;
  exponent: number;
}

function raise(base: Scaled, power: number, size: number, k: number): Scaled {
  if (power === 1) return base;
  const half = raise(base, Math.floor(power / 2), size, k);
  let values = multiply(half.values, half.values, size);
  let exponent = 2 * half.exponent;
  if (power % 2 === 1) {
    values = multiply(values, base.values, size);
    exponent += base.exponent;
  }
  if (values[(k - 1) * size + k - 1]! <= TOO_GREAT) return { values, exponent };
  return { values: values.map((value) => value / TOO_GREAT), exponent: exponent + 1 };
}

function multiply(a: Float64Array, b: Float64Array, size: number): Float64Array {
  const product = new Float64Array(size * size);
  for (let row = 0; row < size; row++)
    for (let inner = 0; inner < size; inner++) {
      const factor = a[row * size + inner]!;
      for (let column = 0; column < size; column++) product[row * size + column]! += factor * b[inner * size + column]!;
    }
  return product;
}
