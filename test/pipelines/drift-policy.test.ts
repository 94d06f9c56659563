import { expect, test } from 'vitest';
import { PipelineDefinition, type PipelineDefinitionInput } from '../../pipelines/definition.ts';

const problemsOf = (drift: PipelineDefinitionInput['drift']) =>
  (
    PipelineDefinition.safeParse({
      name: 'loans',
      target: { column: 'repaid' },
      features: { income: { type: 'numeric' }, member: { type: 'boolean' }, city: { type: 'categorical' } },
      candidates: [{ algorithm: 'gradient_boosting' }],
      drift,
    }).error?.issues ?? []
  ).map(({ path, message }) => `${path.join('.')}: ${message}`);

test('every feature, the prediction and the target may have a method that suits them', () => {
  const columns = {
    income: { method: 'wasserstein', threshold: 0.2 },
    member: { method: 'z_test' },
    city: { method: 'psi' },
    prediction: { method: 'ks' },
    target: { method: 'total_variation' },
  } as const;
  expect(problemsOf({ columns, ignore: ['city'], correction: 'benjamini_hochberg' })).toEqual([]);
});

test.each(['member', 'city', 'target'])('a method about numbers is refused for %s', (column) => {
  expect(problemsOf({ columns: { [column]: { method: 'ks' } } })).toEqual([
    `drift.columns.${column}.method: ks compares numbers, but '${column}' is not numeric`,
  ]);
});

test.each(['prediction', 'target'])('no feature is called %s, for a policy could not tell which is meant', (name) => {
  const { error } = PipelineDefinition.safeParse({
    name: 'loans',
    target: { column: 'repaid' },
    features: { income: { type: 'numeric' }, [name]: { type: 'numeric' } },
    candidates: [{ algorithm: 'gradient_boosting' }],
    drift: { columns: { [name]: { method: 'ks' } } },
  });
  expect(error?.issues).toMatchObject([
    { path: ['features', name], message: `'${name}' is a column of every drift report that is no feature` },
  ]);
});

test('columns that are no features are named', () => {
  expect(problemsOf({ ignore: ['income', 'rent'], columns: { constructor: { threshold: 0.2 } } })).toEqual([
    "drift.ignore.1: 'rent' is not a feature",
    "drift.columns.constructor: 'constructor' is not a feature",
  ]);
});
