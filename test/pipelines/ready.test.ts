import { exampleCustomer } from '../../pipelines/churn.ts';
import { describe, expect, test } from 'vitest';
import { columnsOf } from '../../ml/expression/expression.ts';
import { parseExpression } from '../../ml/expression/parse.ts';
import { rocAuc } from '../../ml/metrics/curves.ts';
import { rankRows } from '../../ml/metrics/ranking.ts';
import type { RawRow } from '../../ml/signature.ts';
import { PipelineDefinition, type Feature } from '../../pipelines/definition.ts';
import { READY_PIPELINES, type ReadyPipelineName } from '../../pipelines/ready.ts';

const NAMES = Object.keys(READY_PIPELINES) as ReadyPipelineName[];
const sampleOf = (name: ReadyPipelineName, rows = 20_000, seed = 1) => [...READY_PIPELINES[name].rows(rows, seed)];
const samples = Object.fromEntries(NAMES.map((name) => [name, sampleOf(name)])) as Record<ReadyPipelineName, RawRow[]>;
const isPositive = (name: ReadyPipelineName) => (row: RawRow) => {
  const { target } = READY_PIPELINES[name].definition;
  return String(row[target.column]) === target.positive;
};
const positiveShare = (name: ReadyPipelineName, where: (row: RawRow) => boolean = () => true) => {
  const rows = samples[name].filter(where);
  expect(rows.length).toBeGreaterThan(200);
  return rows.filter(isPositive(name)).length / rows.length;
};
const at = (row: RawRow, column: string) => row[column] as number;

function problemOf(value: RawRow[string] | undefined, feature: Feature): string | null {
  if (value === undefined) return 'absent';
  if (value === null) return feature.nullable ? null : 'missing';
  switch (feature.type) {
    case 'boolean':
      return typeof value === 'boolean' ? null : 'not a boolean';
    case 'categorical':
      return feature.allowed!.includes(value as string | number) ? null : 'not an allowed category';
    case 'numeric':
      return at({ value }, 'value') >= feature.min! && at({ value }, 'value') <= feature.max! ? null : 'out of range';
  }
}

describe.each(NAMES)('%s', (name) => {
  const { definition, rows } = READY_PIPELINES[name];

  test('its name is its key and its definition survives JSON', () => {
    expect(definition.name).toBe(name);
    expect(PipelineDefinition.parse(JSON.parse(JSON.stringify(definition)))).toEqual(definition);
  });

  test('every sample row keeps the contract', () => {
    const problems = samples[name].flatMap((row) =>
      Object.entries(definition.features).flatMap(([column, feature]) => {
        const problem = problemOf(row[column], feature);
        return problem ? [`${column}: ${problem} (${row[column]})`] : [];
      }),
    );
    expect(problems).toEqual([]);
    const columns = [...Object.keys(definition.features), definition.target.column].sort();
    expect(Object.keys(samples[name][0]!).sort()).toEqual(columns);
  });

  test('every nullable feature is sometimes missing, well below its allowed share', () => {
    for (const [column, feature] of Object.entries(definition.features)) {
      const share = samples[name].filter((row) => row[column] === null).length / samples[name].length;
      if (!feature.nullable) continue;
      expect(share, column).toBeGreaterThan(0.01);
      expect(share, column).toBeLessThan(0.75 * feature.max_null_share);
    }
  });

  test('the same seed gives the same rows, a longer sample starts with the shorter one, another seed differs', () => {
    expect(sampleOf(name, 50, 9)).toEqual(sampleOf(name, 80, 9).slice(0, 50));
    expect(sampleOf(name, 50, 9)).not.toEqual(sampleOf(name, 50, 10));
    expect([...rows(0, 1)]).toEqual([]);
  });

  test('rows are all but free of duplicates', () => {
    const distinct = new Set(samples[name].map((row) => JSON.stringify(row)));
    expect(distinct.size).toBeGreaterThan(0.999 * samples[name].length);
  });

  test('derived features read declared numeric or boolean columns', () => {
    const read = Object.values(definition.derived).flatMap((text) => columnsOf(parseExpression(text)));
    expect(read.length).toBeGreaterThan(4);
    expect(read.every((column) => definition.features[column]!.type !== 'categorical')).toBe(true);
  });
});

test('churn accepts the example of the source documents', () => {
  const { features } = READY_PIPELINES.churn.definition;
  expect(Object.keys(features)).toEqual(Object.keys(exampleCustomer));
  expect(Object.entries(exampleCustomer).map(([name, value]) => problemOf(value, features[name]!))).toEqual(
    Array(10).fill(null),
  );
});

test('churn: a quarter leaves, calls hurt most in the first year, and silence about satisfaction is telling', () => {
  expect(positiveShare('churn')).toBeGreaterThan(0.2);
  expect(positiveShare('churn')).toBeLessThan(0.32);
  const harmOfCalls = (inFirstYear: boolean) => {
    const within = (row: RawRow) => at(row, 'account_age') < 12 === inFirstYear;
    const share = (often: boolean) =>
      positiveShare('churn', (row) => within(row) && at(row, 'customer_service_calls') >= 3 === often);
    return share(true) - share(false);
  };
  expect(harmOfCalls(true)).toBeGreaterThan(harmOfCalls(false) + 0.05);
  const silent = positiveShare('churn', (row) => row.satisfaction_score === null);
  expect(silent).toBeGreaterThan(positiveShare('churn', (row) => row.satisfaction_score !== null) + 0.1);
});

test('credit-default: defaults are rare, lower incomes hide, and debt weighs more without a home', () => {
  const { decision } = READY_PIPELINES['credit-default'].definition;
  expect(decision).toEqual({ threshold: { policy: 'fixed', value: 0.05 }, positive: 'REJECT', negative: 'ACCEPT' });
  expect(Object.keys(READY_PIPELINES['credit-default'].definition.features)).toHaveLength(11);
  expect(positiveShare('credit-default')).toBeGreaterThan(0.04);
  expect(positiveShare('credit-default')).toBeLessThan(0.08);
  const hidden = positiveShare('credit-default', (row) => row.annual_income === null);
  expect(hidden).toBeGreaterThan(positiveShare('credit-default', (row) => row.annual_income !== null) * 1.15);
  const harmOfDebt = (home: boolean) => {
    const indebted = (row: RawRow) => (12 * at(row, 'monthly_debt')) / at(row, 'annual_income') > 0.25;
    const share = (much: boolean) =>
      positiveShare(
        'credit-default',
        (row) => row.annual_income !== null && row.owns_home === home && indebted(row) === much,
      );
    return share(true) - share(false);
  };
  expect(harmOfDebt(false)).toBeGreaterThan(harmOfDebt(true) + 0.01);
});

test('battle: an even game in which only the pair of types tells, and the slow go unmeasured', () => {
  expect(Math.abs(positiveShare('battle') - 0.5)).toBeLessThan(0.02);
  const firesAgainst = (type: string) =>
    positiveShare('battle', (row) => row.first_type === 'fire' && row.second_type === type);
  expect(firesAgainst('plant')).toBeGreaterThan(firesAgainst('water') + 0.2);
  const unmeasured = positiveShare('battle', (row) => row.first_speed === null);
  expect(unmeasured).toBeLessThan(positiveShare('battle', (row) => row.first_speed !== null) - 0.02);
});

test.each([
  [
    'churn',
    (row: RawRow) => at(row, 'customer_service_calls') + at(row, 'support_tickets') - 0.1 * at(row, 'contract_length'),
  ],
  ['credit-default', (row: RawRow) => at(row, 'delinquencies_2y') + (row.years_employed === null ? 1 : 0)],
  [
    'battle',
    (row: RawRow) =>
      at(row, 'first_attack') / at(row, 'second_defense') - at(row, 'second_attack') / at(row, 'first_defense'),
  ],
] as const)('%s: even a rule of thumb ranks better than chance, and no rule gives the answer away', (name, rule) => {
  const target = Uint8Array.from(samples[name], (row) => (isPositive(name)(row) ? 1 : 0));
  const auc = rocAuc(rankRows(target, Float64Array.from(samples[name], rule)))!;
  expect(auc).toBeGreaterThan(0.6);
  expect(auc).toBeLessThan(0.9);
});
