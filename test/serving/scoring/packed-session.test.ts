import { expect, test } from 'vitest';
import { createOnnxSession, scoreRows } from '../../../lib/onnx-session.ts';
import type { InputColumn } from '../../../ml/features.ts';
import { packInputs } from '../../../ml/onnx/pack-inputs.ts';
import { writeOnnx } from '../../../ml/onnx/write.ts';
import type { RawRow } from '../../../ml/signature.ts';
import { openPackedSession } from '../../../serving/scoring/packed-session.ts';
import { layoutOf, rowRange } from '../../../serving/scoring/row-buffers.ts';
import { encode, foreignModel, SIGNATURE, type Message } from '../../ml/onnx/foreign-model.ts';
import { features, linear, sampleRows, signature, trained, trees } from '../../ml/onnx/sample.ts';
import { buffered } from './buffered.ts';

const ours = (model: Parameters<typeof writeOnnx>[0]['model']) =>
  writeOnnx({ model, features, signature, metadata: {} });
const foreign = (change: (model: Message) => void = () => undefined) => {
  const model = foreignModel();
  change(model);
  return encode(model);
};
const oldOpset = ({ opsetImport }: Message) => (opsetImport[0].version = 12); // eslint-disable-line
const people = sampleRows(70, 5).map(({ charges, plan }) => ({ age: charges ?? null, plan: plan ?? null }));
const FOREIGN = SIGNATURE.inputs as InputColumn[];

test.for<[string, () => Uint8Array, readonly InputColumn[], readonly RawRow[], boolean]>([
  ['random trees', () => ours(trees(40, 3)), features.inputs, sampleRows(70, 1), true],
  ['a linear model', () => ours(linear(4)), features.inputs, sampleRows(70, 2), true],
  ['trained trees', () => ours(trained('gradient_boosting', 5)), features.inputs, sampleRows(70, 3), true],
  ['a model from outside', () => foreign(), FOREIGN, people, true],
  ['an old model, by its own inputs,', () => foreign(oldOpset), FOREIGN, people, false],
])('%s scores packed rows to the same bits as rows by name', async ([, file, inputs, rows, packs]) => {
  const onnx = file();
  const layout = layoutOf(inputs);
  expect(packInputs(onnx, layout) !== null).toBe(packs);
  const [named, packed] = [await createOnnxSession(onnx), await openPackedSession(onnx, layout)];
  for (const count of [1, 2, 33, 70]) {
    const expected = await scoreRows(named, named, rows.slice(0, count));
    expect(new Set(expected).size).toBeGreaterThan(count / 8);
    expect(await packed.probabilities(buffered(layout, rows.slice(0, count)), count)).toEqual(expected);
    // As in a buffer that is used again: what an earlier batch left behind it does not count.
    expect(await packed.probabilities(buffered(layout, rows), count)).toEqual(expected);
  }
  const part = rowRange(buffered(layout, rows), layout, 30, 50);
  expect(await packed.probabilities(part, 20)).toEqual(await scoreRows(named, named, rows.slice(30, 50)));
  expect(await packed.probabilities(buffered(layout, [], 4), 0)).toHaveLength(0);
  await Promise.all([named.release(), packed.release()]);
});

test('a file that does not load is an error', async () => {
  const onnx = ours(linear(1));
  await expect(openPackedSession(onnx.slice(0, 500), layoutOf(features.inputs))).rejects.toThrow();
  await expect(openPackedSession(new Uint8Array(), layoutOf(features.inputs))).rejects.toThrow();
});
