import { expect, test } from 'vitest';
import { PipelineDefinition, RunOverrides, type PipelineDefinitionInput } from '../../pipelines/definition.ts';

const minimal: PipelineDefinitionInput = {
  name: 'loans',
  target: { column: 'repaid' },
  features: {
    income: { type: 'numeric', min: 0, max: 100 },
    member: { type: 'boolean' },
    city: { type: 'categorical', nullable: true },
  },
  candidates: [{ algorithm: 'gradient_boosting' }],
};
const parse = (change: Partial<PipelineDefinitionInput>) => PipelineDefinition.safeParse({ ...minimal, ...change });
const issuesOf = (change: Partial<PipelineDefinitionInput>) =>
  (parse(change).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);

test('a minimal definition is filled with defaults', () => {
  expect(parse({}).data).toMatchObject({
    task: 'binary_classification',
    target: { column: 'repaid', positive: 'true' },
    split: { train: 0.7, validation: 0.15, test: 0.15, seed: 1 },
    contract: { extra_columns: 'ignore', max_duplicate_share: 1, min_rows: 100 },
    evaluation: { select_by: 'roc_auc', gates: [{ metric: 'roc_auc', at_least: 0.5 }], max_regression: 0.005 },
    decision: { threshold: { policy: 'fixed', value: 0.5 }, positive: 'POSITIVE', negative: 'NEGATIVE' },
    promotion: 'automatic',
  });
});

test('an unknown key is named', () => {
  expect(issuesOf({ feature: {} } as never)).toEqual([expect.stringContaining('"feature"')]);
});

test('a derived expression that does not parse is reported with the position', () => {
  expect(issuesOf({ derived: { half: 'income / (2' } })).toEqual([expect.stringMatching(/^derived\.half: .*position/)]);
});

test.each([
  ['rent / 2', "column 'rent' is not a feature"],
  ['repaid + 1', "column 'repaid' is not a feature"],
  ['constructor + 1', "column 'constructor' is not a feature"],
  ['log(city)', "column 'city' is categorical, not numeric or boolean"],
])('a derived expression reads numeric and boolean features only: %s', (expression, message) => {
  expect(issuesOf({ derived: { x: expression } })).toEqual([`derived.x: ${message}`]);
});

test('numeric and boolean features may be combined', () => {
  expect(issuesOf({ derived: { x: 'log1p(income) * member + bucket(income, 10, 20)' } })).toEqual([]);
});

test.each([
  ['features.Repaid', { features: { Repaid: { type: 'boolean' } } }, 'the name is taken by the target'],
  [
    'features.INCOME',
    { features: { ...minimal.features, INCOME: { type: 'numeric' } } },
    'the name is taken by feature income',
  ],
  ['derived.member', { derived: { member: 'income' } }, 'the name is taken by feature member'],
] as const)('names are told apart without regard to case: %s', (path, change, message) => {
  expect(issuesOf(change)).toEqual([`${path}: ${message}`]);
});

test('a column may bear the name of an object method', () => {
  expect(issuesOf({ target: { column: 'constructor' }, derived: { valueOf: 'income' } })).toEqual([]);
});

test.each([
  [{ type: 'numeric', min: 2, max: 1 }, 'features.x.min: min 2 is above max 1'],
  [{ type: 'numeric', max_null_share: 0.1 }, 'features.x.max_null_share: only with nullable: true'],
  [{ type: 'categorical', allowed: ['a', 1] }, 'features.x.allowed.1: must be a string'],
  [{ type: 'categorical', values: 'integer', allowed: [1, '2'] }, 'features.x.allowed.1: must be a whole number'],
  [{ type: 'categorical', allowed: ['a', 'b', 'a'] }, 'features.x.allowed.2: "a" is listed twice'],
] as const)('a feature that contradicts itself is refused: %j', (feature, issue) => {
  expect(issuesOf({ features: { x: feature as never } })).toEqual([issue]);
});

test.each([
  [{ metric: 'roc_auc', at_least: 1.2 }, /value that the metric can take/],
  [{ metric: 'brier', at_most: -0.1 }, /value that the metric can take/],
  [{ metric: 'f1' }, /exactly one of/],
  [{ metric: 'f1', at_least: 0.1, at_most: 0.9 }, /exactly one of/],
] as const)('a gate that cannot be meant is refused: %j', (gate, message) => {
  expect(issuesOf({ evaluation: { gates: [gate] } })).toEqual([expect.stringMatching(message)]);
});

test('log loss has no upper bound', () => {
  expect(issuesOf({ evaluation: { gates: [{ metric: 'log_loss', at_most: 3 }] } })).toEqual([]);
});

test('grids make at most 25 candidates, in overrides too', () => {
  const grid = (trees: number) =>
    [{ algorithm: 'gradient_boosting', trees: Array(trees).fill(10), l2: [0, 1, 2, 3, 4] }] as never;
  expect(issuesOf({ candidates: grid(5) })).toEqual([]);
  expect(issuesOf({ candidates: grid(6) })).toEqual(['candidates: the grids make more than 25 candidates']);
  expect(RunOverrides.safeParse({ candidates: grid(6) }).success).toBe(false);
});

test('shares of the split must add up, decisions differ, time zones exist', () => {
  expect(issuesOf({ split: { train: 0.9 } })).toEqual(['split: train + validation + test must be 1']);
  expect(issuesOf({ decision: { positive: 'NEGATIVE' } })).toEqual(['decision: positive and negative must differ']);
  expect(issuesOf({ schedule: { cron: '0 3 * * *', timezone: 'Mars/Base' } })).toEqual([
    expect.stringMatching(/^schedule\.timezone: not an IANA time zone/),
  ]);
});

test('an entity is neither a feature nor the target', () => {
  expect(issuesOf({ entity: 'customer' })).toEqual([]);
  expect(issuesOf({ entity: 'Income' })).toEqual(['entity: the name is taken by feature income']);
  expect(issuesOf({ entity: 'repaid' })).toEqual(['entity: the name is taken by the target']);
});
