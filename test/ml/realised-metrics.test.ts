import { expect, test } from 'vitest';
import { realisedMetrics } from '../../ml/metrics/realised.ts';

test('realised metrics are those of an evaluation, with labels counted', () => {
  const target = Uint8Array.from([1, 0, 1, 0]);
  const found = realisedMetrics(target, Float32Array.from([0.75, 0.5, 0.25, 0.25]), 0.5);
  expect(found).toMatchObject({
    ...{ labelled: 4, positive_rate: 0.5, roc_auc: 0.625, brier: (0.0625 + 0.25 + 0.5625 + 0.0625) / 4 },
    ...{ accuracy: 0.5, precision: 0.5, recall: 0.5, f1: 0.5, confusion: { tp: 1, fp: 1, tn: 1, fn: 1 } },
  });
});

test('what one class or no label defines is there, the rest is null', () => {
  const one = realisedMetrics(Uint8Array.from([1]), Float32Array.from([0.75]), 0.5);
  expect(one).toMatchObject({ labelled: 1, positive_rate: 1, roc_auc: null, accuracy: 1, recall: 1 });
  const none = realisedMetrics(new Uint8Array(0), new Float32Array(0), 0.5);
  expect(none).toMatchObject({ labelled: 0, positive_rate: null, log_loss: null, f1: null });
});
