import { expect, test } from 'vitest';
import { chiSquaredTail } from '../../../ml/drift/chi-squared-tail.ts';
import { kolmogorovSmirnovTail } from '../../../ml/drift/kolmogorov-smirnov.ts';

// scipy 1.17.1, `ks_2samp`'s p-value: statistic, sizes of the samples, tail. The methods change with size and statistic.
const KOLMOGOROV: [number, number, number, number][] = [
  // exact, samples of one size
  [0.015, 1000, 1000, 0.9998734489003387],
  [0.03, 1000, 1000, 0.7593695685682871],
  [0.08, 1000, 1000, 0.003311056963176061],
  // exact, of different sizes
  [0.1, 100, 37, 0.9179544767674603],
  [0.2, 100, 37, 0.19568360368737245],
  [0.3, 100, 37, 0.011564990484658099],
  // exact
  [0.012, 10000, 3000, 0.8898751101187548],
  [0.02, 10000, 3000, 0.3104737399937846],
  [0.05, 10000, 3000, 1.8799419648906086e-5],
  // one value
  [0.7, 20000, 1, 0.6000000000000001],
  [0.95, 20000, 1, 0.10000000000000009],
  // Durbin's matrix
  [0.05, 20000, 50, 0.9990238098461883],
  [0.1, 20000, 50, 0.6623112704658186],
  [0.2, 20000, 50, 0.03143877776953241],
  // Smirnov's sum
  [0.3, 20000, 50, 0.00017353260202718738],
  [0.5, 20000, 50, 4.392853499119748e-12],
  // Durbin
  [0.01, 20000, 1000, 0.9999712443601857],
  [0.015, 20000, 1000, 0.9808018355485475],
  // Pelz-Good
  [0.02, 20000, 1000, 0.8333265449733626],
  [0.03, 20000, 1000, 0.351373300664116],
  [0.04, 20000, 1000, 0.09251358561551482],
  // Smirnov's sum
  [0.05, 20000, 1000, 0.016543801179226124],
  [0.08, 20000, 1000, 9.536122899886358e-6],
  // Pelz-Good
  [0.003, 100000, 100000, 0.7579000443487147],
  [0.005, 100000, 100000, 0.16353363492434803],
  // Smirnov
  [0.008, 100000, 100000, 0.003305231279334067],
  [0.012, 100000, 100000, 1.105458913692487e-6],
  // more than a million
  [0.0005, 3000000, 3000000, 0.8472993971346915],
  [0.001, 3000000, 3000000, 0.0994954983764107],
  [0.003, 3000000, 3000000, 3.751546891971527e-12],
  // half
  [0.6, 10001, 6, 0.013503703703703709],
  [0.9, 10001, 6, 1.9999999999999974e-6],
];

// scipy 1.17.1, `chi2.sf`.
const CHI_SQUARED: [number, number, number][] = [
  [1e-9, 1, 0.999974768674784],
  [0.5, 1, 0.47950012218695337],
  [3.84, 1, 0.05004352124870519],
  [30, 1, 4.3204630578274955e-8],
  [0.1, 2, 0.951229424500714],
  [9, 2, 0.011108996538242308],
  [4.35, 5, 0.500200121007793],
  [20, 5, 0.0012497305630313773],
  [40, 49, 0.8167770748275297],
  [80, 49, 0.0034012114117295514],
  [900, 1000, 0.9892827619087102],
  [1000, 1000, 0.49405285382923964],
  [1100, 1000, 0.014614408126295192],
  [4900, 5000, 0.8413611103322287],
  [5300, 5000, 0.0015958249441347303],
];

test.each(KOLMOGOROV)('Kolmogorov–Smirnov: %f between %i and %i values', (statistic, m, n, expected) => {
  expect(Math.abs(kolmogorovSmirnovTail(statistic, m, n) - expected)).toBeLessThan(1e-12);
  expect(kolmogorovSmirnovTail(statistic, n, m)).toBe(kolmogorovSmirnovTail(statistic, m, n));
});

test('Kolmogorov–Smirnov: samples that do not differ, and that have nothing in common', () => {
  for (const [m, n] of [
    [1, 1],
    [7, 9],
    [9000, 8000],
    [20_000, 3],
    [1e7, 1e7],
  ] as const)
    expect(kolmogorovSmirnovTail(0, m, n)).toBe(1);
  expect(kolmogorovSmirnovTail(1, 10_000, 10_000)).toBe(0);
  expect(kolmogorovSmirnovTail(1, 1e7, 1e6)).toBe(0);
});

test.each(CHI_SQUARED)('chi-squared: above %f with %i degrees of freedom', (x, df, expected) => {
  expect(Math.abs(chiSquaredTail(x, df) - expected)).toBeLessThan(1e-12);
});

test('chi-squared: nothing and everything', () => {
  expect([chiSquaredTail(0, 3), chiSquaredTail(Infinity, 3)]).toEqual([1, 0]);
});
