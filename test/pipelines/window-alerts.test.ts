import { expect, test } from 'vitest';
import { alertsOf } from '../../pipelines/window-alerts.ts';
import type { JudgedWindow } from '../../pipelines/window-evidence.ts';

const window: JudgedWindow = {
  ...{ sequence: 8, drifted: false, prediction_drifted: false, drifted_columns: [], estimate: null },
};
const bar = { metric: 'roc_auc', at_least: 0.7 } as const;

test('the newest windows alone speak, and say also that all is well', () => {
  const judged = [window, { ...window, sequence: 7, drifted: true }];
  expect(alertsOf({ judged, labelled: [] }, [bar])).toEqual([
    { kind: 'drift', sequence: 8, message: null },
    { kind: 'prediction_drift', sequence: 8, message: null },
  ]);
  expect(alertsOf({ judged: [], labelled: [] }, [bar])).toEqual([]);
});

test('drift names its columns, but not a hundred of them', () => {
  const drifted_columns = Array.from({ length: 100 }, (_, index) => `c${index}`);
  const [drift, prediction] = alertsOf(
    { judged: [{ ...window, drifted: true, prediction_drifted: true, drifted_columns }], labelled: [] },
    [],
  );
  expect(drift!.message).toBe('the data has drifted: c0, c1, c2, c3, c4 and 95 more');
  expect(prediction!.message).toBe('the predictions have drifted');
  const both = { ...window, drifted: true, drifted_columns: ['age', 'prediction'] };
  expect(alertsOf({ judged: [both], labelled: [] }, [])[0]!.message).toBe('the data has drifted: age');
});

test('performance is measured by the bars, by labels and without them', () => {
  const judged = [{ ...window, estimate: { roc_auc: 0.65 } }];
  const labelled = [{ sequence: 5, labelled: 120, metrics: { roc_auc: 0.6, log_loss: 0.9 } }];
  const bars = [bar, { metric: 'log_loss', at_most: 0.5 } as const, { metric: 'f1', at_least: 0.1 } as const];
  expect(alertsOf({ judged, labelled }, bars).slice(2)).toEqual([
    {
      ...{ kind: 'estimated_performance', sequence: 8 },
      message: 'by the probabilities alone, roc_auc is 0.65, must be at least 0.7',
    },
    {
      ...{ kind: 'performance', sequence: 5 },
      message: 'by 120 labels, roc_auc is 0.6, must be at least 0.7; log_loss is 0.9, must be at most 0.5',
    },
  ]);
  expect(alertsOf({ judged, labelled }, [{ ...bar, at_least: 0.5 }]).map(({ message }) => message)).toEqual(
    Array(4).fill(null),
  );
});

test('without a bar there is none to miss, and what was raised because of one is over', () => {
  const judged = [{ ...window, estimate: { roc_auc: 0.65 } }];
  const labelled = [{ sequence: 5, labelled: 120, metrics: { roc_auc: 0.6 } }];
  expect(alertsOf({ judged, labelled }, []).slice(2)).toEqual([
    { kind: 'estimated_performance', sequence: 8, message: null },
    { kind: 'performance', sequence: 5, message: null },
  ]);
});
