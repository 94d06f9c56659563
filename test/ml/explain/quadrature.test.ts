import { expect, test } from 'vitest';
import { gaussLegendre } from '../../../ml/explain/quadrature.ts';

test.each([1, 2, 5, 40, 200])('%i points integrate every power up to twice their number', (count) => {
  const { points, weights } = gaussLegendre(count);
  for (let power = 0; power < 2 * count; power++) {
    const integral = points.reduce((sum, point, index) => sum + weights[index]! * point ** power, 0);
    expect(Math.abs(integral * (power + 1) - 1)).toBeLessThan(1e-12);
  }
});
