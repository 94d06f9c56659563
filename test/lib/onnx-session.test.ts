import { expect, test } from 'vitest';
import { rowsToFeeds, type ModelInput } from '../../lib/model-feeds.ts';
import { answerRows, createOnnxSession, scoreRows } from '../../lib/onnx-session.ts';
import { writeOnnx } from '../../ml/onnx/write.ts';
import { features, linear, sampleRows, signature } from '../ml/onnx/sample.ts';

const file = () => writeOnnx({ model: linear(1), features, signature, metadata: {} });
const inputs: ModelInput[] = [
  { name: 'n', type: 'numeric' },
  { name: 'b', type: 'boolean' },
  { name: 'i', type: 'categorical_integer' },
  { name: 's', type: 'categorical_string' },
];

test('rows become one column of values per input, with each type its own mark for missing', () => {
  const feeds = rowsToFeeds(inputs, [{ n: 1.5, b: true, i: -7, s: 'a' }, { n: null, b: null, i: null, s: null }, {}]);
  expect(feeds).toEqual([
    { name: 'n', type: 'float32', data: Float32Array.of(1.5, NaN, NaN), dims: [3, 1] },
    { name: 'b', type: 'float32', data: Float32Array.of(1, NaN, NaN), dims: [3, 1] },
    { name: 'i', type: 'int64', data: BigInt64Array.of(-7n, -(2n ** 63n), -(2n ** 63n)), dims: [3, 1] },
    { name: 's', type: 'string', data: ['a', '', ''], dims: [3, 1] },
  ]);
});

test.each([
  [{ n: '1' }, `row 1: 'n' must be a number or boolean, not "1"`],
  [{ n: 1e39 }, "row 1: 'n' must be in the range of a float32"],
  [{ n: Infinity }, "row 1: 'n' must be in the range of a float32"],
  [{ i: 1.5 }, "row 1: 'i' must be an integer, not 1.5"],
  [{ i: '1' }, `row 1: 'i' must be an integer, not "1"`],
  [{ s: 3 }, "row 1: 's' must be a string, not 3"],
])('%j is refused', (row, message) => {
  expect(() => rowsToFeeds(inputs, [row])).toThrow(RangeError);
  expect(() => rowsToFeeds(inputs, [row])).toThrow(message);
});

test('a session names its inputs and outputs, and its own inputs serve for scoring', async () => {
  const session = await createOnnxSession(file());
  const rows = sampleRows(20, 1);
  expect(session.inputNames).toEqual(['charges', 'calls', 'plan', 'region', 'active', 'unused']);
  expect(session.outputNames).toEqual(['label', 'probability', 'decision']);
  expect(await scoreRows(session, session, rows)).toEqual(await scoreRows(session, signature, rows));
  const answers = await answerRows(session, session, rows);
  expect(Float32Array.from(answers, ({ probability }) => probability)).toEqual(await scoreRows(session, session, rows));
  await session.release();
});

test('a row scores the same alone and in a batch, and no rows score to nothing', async () => {
  const session = await createOnnxSession(file());
  const rows = sampleRows(200, 2);
  const batch = await scoreRows(session, signature, rows);
  expect(await scoreRows(session, signature, rows.slice(150, 151))).toEqual(batch.slice(150, 151));
  expect(await scoreRows(session, signature, [])).toHaveLength(0);
  expect(await answerRows(session, signature, [])).toEqual([]);
  await session.release();
});

test('bytes that are no model are refused', async () => {
  await expect(createOnnxSession(new Uint8Array([1, 2, 3]))).rejects.toThrow();
  await expect(createOnnxSession(file().slice(0, 500))).rejects.toThrow();
});
