import { requireSameRows, type Scores } from './ranking.ts';

export type Confusion = { tp: number; fp: number; tn: number; fn: number };

/** Counts at a threshold; positive is `probability >= threshold`, compared as float32 because serving does so. */
export function confusionAt(target: Uint8Array, probability: Scores, threshold: number): Confusion {
  requireSameRows(target, probability);
  const cut = Math.fround(threshold);
  let tp = 0;
  let called = 0;
  let positives = 0;
  for (let row = 0; row < target.length; row++) {
    const positive = target[row]!;
    const isCalled = Math.fround(probability[row]!) >= cut ? 1 : 0;
    tp += positive & isCalled;
    called += isCalled;
    positives += positive;
  }
  const fp = called - tp;
  return { tp, fp, tn: target.length - positives - fp, fn: positives - tp };
}

const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);

export const accuracy = ({ tp, fp, tn, fn }: Confusion) => share(tp + tn, tp + fp + tn + fn);
/** null when no row is called positive. */
export const precision = ({ tp, fp }: Confusion) => share(tp, tp + fp);
/** null when no row is positive. */
export const recall = ({ tp, fn }: Confusion) => share(tp, tp + fn);
/** null when no row is positive and none is called so. */
export const f1 = ({ tp, fp, fn }: Confusion) => share(2 * tp, 2 * tp + fp + fn);
