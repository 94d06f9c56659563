import { expect, test } from 'vitest';
import { createExplain } from '../../../ml/explain/explain.ts';
import type { LinearModel, TrainedModel } from '../../../ml/model.ts';
import { predictLogOdds } from '../../../ml/predict.ts';
import { features, linear, matrixOf, sampleRows, trained } from '../onnx/sample.ts';

test.each<[string, TrainedModel, string]>([
  ['trees that we trained', trained('gradient_boosting', 3), 'tree_shap'],
  ['a linear model that we trained', trained('logistic_regression', 4), 'linear'],
  ['a linear model with indicators', linear(5), 'linear'],
])('%s: explanations of raw rows add up to the log-odds, by input and derived feature', (_, model, method) => {
  const rows = sampleRows(300, 6);
  const expected = predictLogOdds(model, matrixOf(features, rows));
  const explanations = createExplain({ model, features })(rows);
  for (const [row, { contributions, ...rest }] of explanations.entries()) {
    expect(rest).toEqual({ method, unit: 'log_odds', base_value: explanations[0]!.base_value });
    expect(Object.keys(contributions).sort()).toEqual([...model.columns].sort());
    const sum = Object.values(contributions).reduce((a, b) => a + b, rest.base_value);
    expect(Math.abs(sum - expected[row]!)).toBeLessThan(1e-9);
  }
});

test('contributions come largest first, whatever their sign', () => {
  const explain = createExplain({ model: linear(7), features });
  for (const { contributions } of explain(sampleRows(50, 8))) {
    const sizes = Object.values(contributions).map(Math.abs);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  }
});

test('a linear contribution is coefficient times distance from the mean; a missing value has its indicator', () => {
  const model: LinearModel = {
    kind: 'logistic_regression',
    columns: ['age', 'plan', 'double'],
    impute: [40, 0.5, 90],
    mean: [40, 0.5, 80],
    scale: [10, 0.25, 20],
    coefficients: [0.5, 0.125, 1],
    missing: [{ column: 0, coefficient: 0.3 }],
    intercept: -1,
  };
  const explain = createExplain({
    model,
    features: {
      inputs: [
        { name: 'age', type: 'numeric', nullable: true },
        { name: 'plan', type: 'categorical_string', nullable: true },
      ],
      encodings: [{ column: 'plan', categories: ['basic', 'plus'], codes: [0.25, 0.75] }],
      derived: [{ name: 'double', expression: '2 * age' }],
    },
  });
  expect(explain([{ age: 50, plan: 'plus' }, { age: null }])).toEqual([
    { method: 'linear', unit: 'log_odds', base_value: -1, contributions: { double: 1, age: 0.5, plan: 0.125 } },
    { method: 'linear', unit: 'log_odds', base_value: -1, contributions: { double: 0.5, age: 0.3, plan: 0 } },
  ]);
});

test('the explanation of a row does not depend on the rows beside it', () => {
  const explain = createExplain({ model: trained('gradient_boosting', 9), features });
  const rows = sampleRows(20, 10);
  expect(explain(rows)).toEqual(rows.flatMap((row) => explain([row])));
});
