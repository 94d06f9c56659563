/**
 * Chance that two samples of one distribution are at least `statistic` apart: the share of lattice paths from (0, 0) to
 * (m, n) that leave a band round the diagonal (Hodges 1958). As scipy's `ks_2samp(method='exact')`,
 * which gives up (null) where rounding makes it more than 1.
 */
export function exactTail(statistic: number, m: number, n: number): number | null {
  const divisor = greatestCommonDivisor(m, n);
  const band = Math.round(statistic * (m / divisor) * n);
  if (band === 0) return 1;
  const tail = m === n ? outsideSquare(n, band) : outsideBand(Math.max(m, n), Math.min(m, n), divisor, band);
  return tail <= 1 ? tail : null;
}

/** By the reflection principle, 2 (C(2n, n−h) − C(2n, n−2h) + …) / C(2n, n), in Horner's form against cancellation. */
function outsideSquare(n: number, h: number): number {
  let tail = 0;
  for (let k = Math.floor(n / h); k >= 0; k--) {
    let ratio = 1;
    for (let j = 0; j < h; j++) ratio = ((n - k * h - j) * ratio) / (n + k * h + j + 1);
    tail = ratio * (1 - tail);
  }
  return 2 * tail;
}

/**
 * `column[y]` is the share of paths to (x, y) that have left |x n − y m| < h g; a window of it slides along the diagonal
 * as x grows. m > n.
 */
function outsideBand(m: number, n: number, divisor: number, h: number): number {
  const [stepX, stepY] = [n / divisor, m / divisor];
  let from = 0;
  let until = Math.min(Math.ceil(h / stepY), n + 1);
  const column = new Float64Array(Math.min(2 * until + 2, n + 1)).fill(1).fill(0, 0, until);
  for (let x = 1; x <= m; x++) {
    const [before, length] = [from, until - from];
    from = Math.min(Math.max(Math.floor((stepX * x - h) / stepY) + 1, 0), n);
    until = Math.min(Math.ceil((stepX * x + h) / stepY), n + 1);
    if (until <= from) return 1;
    let share = from === 0 ? 0 : 1;
    for (let y = from; y < until; y++) {
      share = (column[y - before]! * x + share * y) / (x + y);
      column[y - from] = share;
    }
    if (length > until - from) column.fill(1, until - from, length);
  }
  return column[until - from - 1]!;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
