import { expect, test } from 'vitest';
import { PipelineDefinition, type PipelineDefinitionInput } from '../../pipelines/definition.ts';

const parse = (retraining: PipelineDefinitionInput['retraining']) =>
  PipelineDefinition.safeParse({
    name: 'churn',
    target: { column: 'churned' },
    features: { age: { type: 'numeric' } },
    candidates: [{ algorithm: 'logistic_regression' }],
    retraining,
  });
const problemsOf = (retraining: unknown) =>
  parse(retraining as never).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);

test('a policy has defaults that start nothing at once and not often', () => {
  expect(parse({ on_drift: {} }).data?.retraining).toEqual({
    on_drift: { windows: 2 },
    cooldown_seconds: 86_400,
    max_per_week: 3,
    min_new_labels: 0,
    include_labels: true,
  });
  expect(parse(undefined)).toMatchObject({ success: true, data: { retraining: undefined } });
});

test('a policy that could never start anything, or watches what is not there, is refused by its field', () => {
  expect(problemsOf({})).toEqual(['retraining: at least one of on_drift, on_metric, on_schedule']);
  expect(problemsOf({ on_drift: { columns: ['prediction', 'agee'] } })).toEqual([
    "retraining.on_drift.columns.1: 'agee' is not a feature",
  ]);
  expect(problemsOf({ on_metric: { metric: 'roc_auc' } })).toEqual([
    'retraining.on_metric: exactly one of at_least, at_most',
  ]);
  expect(problemsOf({ on_metric: { metric: 'roc_auc', at_least: 2 } })?.[0]).toMatch(
    /^retraining.on_metric: the limit/,
  );
  expect(problemsOf({ on_drift: {}, at_once: true })?.[0]).toMatch(/^retraining: .*at_once/);
});
