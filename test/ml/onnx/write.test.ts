import { expect, test } from 'vitest';
import { answerRows, createOnnxSession, scoreRows } from '../../../lib/onnx-session.ts';
import type { FittedFeatures, InputColumn } from '../../../ml/features.ts';
import type { BoostedTrees, LinearModel, TrainedModel, Tree } from '../../../ml/model.ts';
import { writeOnnx, type OnnxSource } from '../../../ml/onnx/write.ts';
import { predictProbabilities } from '../../../ml/predict.ts';
import type { RawRow } from '../../../ml/signature.ts';
import { features, linear, matrixOf, sampleRows, signature, trained, trees } from './sample.ts';

const source = (model: TrainedModel): OnnxSource => ({ model, features, signature, metadata: { run_id: 'r1' } });

async function withSession<T>(
  from: OnnxSource,
  use: (session: Awaited<ReturnType<typeof createOnnxSession>>) => Promise<T>,
) {
  const session = await createOnnxSession(writeOnnx(from));
  try {
    return await use(session);
  } finally {
    await session.release();
  }
}

function farthest(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(...Array.from(actual, (value, row) => Math.abs(value - expected[row]!)));
}

test.each<[string, TrainedModel]>([
  ['one tree', trees(1, 1)],
  ['300 trees', trees(300, 2)],
  ['a linear model', linear(3)],
  ['trees that we trained', trained('gradient_boosting', 8)],
  ['a linear model that we trained', trained('logistic_regression', 9)],
  ['a linear model without missing indicators', { ...linear(4), missing: [] }],
])('%s answers through ONNX Runtime what it predicts here', async (_, model) => {
  const rows = sampleRows(3000, 5);
  const expected = predictProbabilities(model, matrixOf(features, rows));
  const actual = await withSession(source(model), (session) => scoreRows(session, signature, rows));
  expect(farthest(actual, expected)).toBeLessThan(1e-7);
  expect(new Set(actual).size).toBeGreaterThan(5);
});

test('label and decision change at the threshold, which itself is positive', async () => {
  const rows = sampleRows(500, 6);
  const model = linear(7);
  const probabilities = await withSession(source(model), (session) => scoreRows(session, signature, rows));
  const threshold = probabilities[123]!;
  const answers = await withSession({ ...source(model), signature: { ...signature, threshold } }, (session) =>
    answerRows(session, signature, rows),
  );
  expect(answers[123]).toEqual({ label: 'yes', probability: threshold, decision: 'REJECT' });
  for (const { label, probability, decision } of answers) {
    expect([label, decision]).toEqual(probability >= threshold ? ['yes', 'REJECT'] : ['no', 'ACCEPT']);
  }
  expect(new Set(answers.map(({ label }) => label)).size).toBe(2);
});

test('missing values take the branch that training chose', async () => {
  const inputs: InputColumn[] = [{ name: 'x', type: 'numeric', nullable: true }];
  const one: FittedFeatures = { inputs, encodings: [], derived: [] };
  const split = (missing: number): Tree => ({
    feature: [0, -1, -1],
    threshold: [1.5, 0, 0],
    left: [1, -1, -1],
    right: [2, -1, -1],
    missing_left: [missing, 0, 0],
    value: [0, -2, 2],
    cover: [2, 1, 1],
  });
  const probability = async (missing: number, x: number | null) => {
    const model: BoostedTrees = { kind: 'gradient_boosting', columns: ['x'], init: 0, trees: [split(missing)] };
    const parts = { model, features: one, signature: { ...signature, inputs }, metadata: {} };
    return (await withSession(parts, (session) => scoreRows(session, { inputs }, [{ x }])))[0];
  };
  const [low, high] = [1 / (1 + Math.exp(2)), 1 / (1 + Math.exp(-2))];
  expect(await probability(1, null)).toBeCloseTo(low, 6);
  expect(await probability(0, null)).toBeCloseTo(high, 6);
  expect(await probability(0, 1.5)).toBeCloseTo(low, 6);
  expect(await probability(1, 1.5000001)).toBeCloseTo(high, 6);
});

test('a model without any split answers its constant for every row', async () => {
  const leaf: Tree = {
    feature: [-1],
    threshold: [0],
    left: [-1],
    right: [-1],
    missing_left: [0],
    value: [0.5],
    cover: [1],
  };
  const model: BoostedTrees = { ...trees(0, 1), init: 0.25, trees: [leaf, leaf] };
  const rows = sampleRows(3, 1);
  const actual = await withSession(source(model), (session) => scoreRows(session, signature, rows));
  expect([...actual]).toEqual(new Array(3).fill(Math.fround(1 / (1 + Math.exp(-1.25)))));
});

test('a tree with a thousand leaves in one chain keeps every one of them', async () => {
  const depth = 1000;
  const nodes = Array.from({ length: depth }, (_, level) => level);
  const chain: Tree = {
    feature: [...nodes.map(() => 0), ...nodes.map(() => -1), -1],
    threshold: [...nodes, ...nodes.map(() => 0), 0],
    left: [...nodes.map((level) => depth + level), ...nodes.map(() => -1), -1],
    right: [...nodes.map((level) => (level === depth - 1 ? 2 * depth : level + 1)), ...nodes.map(() => -1), -1],
    missing_left: new Array<number>(2 * depth + 1).fill(0),
    value: [...nodes.map(() => 0), ...nodes.map((level) => Math.fround((level - 500) / 250)), 3],
    cover: new Array<number>(2 * depth + 1).fill(1),
  };
  const model: BoostedTrees = { ...trees(0, 1), trees: [chain] };
  const rows: RawRow[] = [-5, 0, 400.5, 999, 2000].map((charges) => ({ ...sampleRows(1, 1)[0]!, charges }));
  const actual = await withSession(source(model), (session) => scoreRows(session, signature, rows));
  expect(farthest(actual, predictProbabilities(model, matrixOf(features, rows)))).toBeLessThan(1e-7);
});

test('the empty text is a category when training saw it, and missing otherwise', async () => {
  const inputs: InputColumn[] = [{ name: 'c', type: 'categorical_string', nullable: true }];
  const model: LinearModel = {
    kind: 'logistic_regression',
    columns: ['c'],
    impute: [9],
    mean: [0],
    scale: [1],
    coefficients: [1],
    missing: [],
    intercept: 0,
  };
  const score = async (categories: string[]) => {
    const fitted = { inputs, derived: [], encodings: [{ column: 'c', categories, codes: categories.map(() => -1) }] };
    const parts = { model, features: fitted, signature: { ...signature, inputs }, metadata: {} };
    return (await withSession(parts, (session) => scoreRows(session, { inputs }, [{ c: '' }])))[0];
  };
  expect(await score(['', 'a'])).toBeLessThan(0.5);
  expect(await score(['a'])).toBeGreaterThan(0.5);
});

test('refuses parts that do not fit each other', () => {
  const model = linear(1);
  const using = (parts: Partial<OnnxSource>) => () => writeOnnx({ ...source(model), ...parts });
  expect(using({ model: { ...model, columns: ['a'] } })).toThrow("the model's columns (a) are not the features'");
  expect(using({ signature: { ...signature, inputs: [] } })).toThrow("the signature's inputs () are not the features'");
  expect(using({ features: { ...features, encodings: [] } })).toThrow("categorical feature 'plan' has no encoding");
  const numbers = { column: 'plan', categories: [1], codes: [0] };
  expect(using({ features: { ...features, encodings: [numbers] } })).toThrow(
    "encoding of 'plan': categories must be strings",
  );
  const inputs: InputColumn[] = [{ name: 'decision', type: 'numeric', nullable: false }];
  expect(
    using({
      model: { ...model, columns: ['decision'] },
      features: { inputs, encodings: [], derived: [] },
      signature: { ...signature, inputs },
    }),
  ).toThrow("a feature cannot be named 'decision'");
});
