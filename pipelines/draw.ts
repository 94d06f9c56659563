import { normal, type Random } from '../ml/random.ts';

/** A normal number, clipped to [low, high]. */
export const normalWithin = (random: Random, mean: number, deviation: number, low: number, high: number) =>
  clip(mean + deviation * normal(random), low, high);

export const clip = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

/** Log-normal with this median; `spread` is the standard deviation of the logarithm. */
export const logNormal = (random: Random, median: number, spread: number) => median * Math.exp(spread * normal(random));

/** Poisson count (Knuth's product of uniforms; fine for the small means used here). */
export function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count++;
  return count;
}

/** One of the entries, each as often as its weight says. */
export function pick<T>(random: Random, weighted: readonly (readonly [value: T, weight: number])[]): T {
  let left = random() * weighted.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of weighted) if ((left -= weight) < 0) return value;
  return weighted[weighted.length - 1]![0];
}

/** True with probability 1 / (1 + exp(−logOdds)). */
export const happens = (random: Random, logOdds: number) => random() < 1 / (1 + Math.exp(-logOdds));

export const round = (value: number, digits: number) => Number(value.toFixed(digits));
