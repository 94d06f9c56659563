const ROOT_2PI = Math.sqrt(2 * Math.PI);

/**
 * P(D < d) for many values `n`: Kolmogorov's limit and the next three terms in 1/√n (Pelz & Good 1976), as theta sums
 * that converge for small z = d √n. As scipy's `_kolmogn_PelzGood`.
 */
export function pelzGood(d: number, n: number): number {
  const z = Math.sqrt(n) * d;
  if (Math.PI ** 2 / (8 * z * z) > 708) return 0;
  const terms = Math.ceil((16 * z) / Math.PI);
  const odd = oddSums(z, terms);
  const all = evenSums(z, terms);
  const k2 = odd[2] / (72 * z ** 7) - (Math.PI ** 2 * all[0]) / (36 * z ** 3);
  const k3 = odd[3] / (6480 * z ** 10) + (Math.PI ** 2 * all[1]) / (216 * z ** 6);
  return ROOT_2PI * (odd[0] / z + odd[1] / (6 * z ** 4) / Math.sqrt(n) + k2 / n + k3 / n ** 1.5);
}

/** Σ over odd m of polynomial(m²) · exp(−π² m² / (8 z²)), one polynomial for each term of the expansion. */
function oddSums(z: number, terms: number): [number, number, number, number] {
  const [z2, z4, z6, z8] = [z ** 2, z ** 4, z ** 6, z ** 8];
  const [pi2, pi4, pi6] = [Math.PI ** 2, Math.PI ** 4, Math.PI ** 6];
  const sums: [number, number, number, number] = [0, 0, 0, 0];
  for (let m = 2 * terms - 1; m > 0; m -= 2) {
    const weight = Math.exp((-pi2 * m * m) / (8 * z2));
    const [m2, m4, m6] = [m ** 2, m ** 4, m ** 6];
    sums[0] += weight;
    sums[1] += weight * (-z2 + (pi2 / 4) * m2);
    sums[2] += weight * (6 * z6 + 2 * z4 + ((2 * z4 - 5 * z2) * pi2 * m2) / 4 + (pi4 * (1 - 2 * z2) * m4) / 16);
    sums[3] +=
      weight *
      (-30 * z6 -
        90 * z8 +
        (pi2 * (135 * z4 - 96 * z6) * m2) / 4 +
        (pi4 * (-60 * z2 + 212 * z4) * m4) / 16 +
        (pi6 * (5 - 30 * z2) * m6) / 64);
  }
  return sums;
}

function evenSums(z: number, terms: number): [number, number] {
  const sums: [number, number] = [0, 0];
  for (let k = terms; k > 0; k--) {
    const weight = k * k * Math.exp((-(Math.PI ** 2) * k * k) / (2 * z * z));
    sums[0] += weight;
    sums[1] += weight * (3 * z * z - (Math.PI * k) ** 2);
  }
  return sums;
}
