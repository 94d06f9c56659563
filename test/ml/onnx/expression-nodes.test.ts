import { expect, test } from 'vitest';
import { createOnnxSession } from '../../../lib/onnx-session.ts';
import { evaluateExpression } from '../../../ml/expression/evaluate.ts';
import { parseExpression } from '../../../ml/expression/parse.ts';
import { cast, expressionNodes } from '../../../ml/onnx/expression-nodes.ts';
import { createGraph } from '../../../ml/onnx/graph.ts';
import { encodeModel } from '../../../ml/onnx/messages.ts';

const VALUES = [NaN, 0, -0, 1, -1, 0.5, 2, 3, 1e-30, -1e-30, 1e30, 3.4e38, -3.4e38, 100, -100, 7.25, Math.fround(0.1)];
const x = Float32Array.from(VALUES.flatMap((value) => VALUES.map(() => value)));
const y = Float32Array.from(VALUES.flatMap(() => VALUES));

/** Runs expressions over x and y as an ONNX graph of their own. */
async function throughOnnx(texts: readonly string[]): Promise<Float32Array[]> {
  const graph = createGraph();
  const doubles = new Map(
    ['x', 'y'].map((name) => [name, cast(graph, graph.input(name, 'float', [null, 1]), 'double')]),
  );
  texts.forEach((text, index) => {
    const value = expressionNodes(graph, parseExpression(text), (name) => doubles.get(name)!);
    graph.node('Identity', [value], [], `result${index}`);
    graph.output(`result${index}`, 'float', [null, 1]);
  });
  const opsetImport = [{ domain: '', version: 21 }];
  const model = encodeModel({
    irVersion: 10,
    producerName: '',
    opsetImport,
    metadataProps: [],
    graph: { name: 'g', ...graph.parts },
  });
  const session = await createOnnxSession(model);
  const dims: [number, number] = [x.length, 1];
  const feeds = [
    { name: 'x', type: 'float32', data: x, dims } as const,
    { name: 'y', type: 'float32', data: y, dims } as const,
  ];
  const results = await session.run(feeds, session.outputNames);
  await session.release();
  return texts.map((_, index) => results[`result${index}`] as Float32Array);
}

const EXPRESSIONS = [
  'x + y',
  'x - y',
  'x * y',
  'x / y',
  '-x',
  'x * y * x',
  '(x + y) * (x - y) / 2',
  'min(x, y)',
  'max(x, y)',
  'min(x / y, 1)',
  'max(log(x), y)',
  'log(x)',
  'log1p(x)',
  'exp(x)',
  'sqrt(x)',
  'abs(x)',
  'log(abs(x) + 1)',
  'exp(-x * x)',
  '1 / (x / y)',
  'exp(log(x))',
  'exp(-1 / x)',
  'sqrt(x / y)',
  'abs(1 / x)',
  '1 / exp(x)',
  '-(1 / x) + y',
  'bucket(x, -1, 0, 0.5, 2)',
  'bucket(x / y, 0)',
  'bucket(exp(x), 1, 1e30)',
  'coalesce(x, -1)',
  'coalesce(x / y, 0)',
  'coalesce(x, 0) + coalesce(y, 0)',
  'bucket(coalesce(log(x), -5), -1, 1)',
  '1 / (x * x * x * x * x * x * x * x * x)',
  '0.1 + x',
  'x / 3',
];

test('every expression is the same float32 in ONNX Runtime as here', async () => {
  const results = await throughOnnx(EXPRESSIONS);
  EXPRESSIONS.forEach((text, index) => {
    const expected = evaluateExpression(parseExpression(text), { x, y }, x.length);
    const differing = [...expected.keys()].filter((row) => !sameNumber(results[index]![row]!, expected[row]!));
    const first = differing.map((row) => `x=${x[row]} y=${y[row]}: ${results[index]![row]} not ${expected[row]}`)[0];
    expect(first, text).toBeUndefined();
  });
});

// The sign of zero is not a difference: no model can tell.
const sameNumber = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));
