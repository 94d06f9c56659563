import { expect, test } from 'vitest';
import { encodeAnswer, type InferAnswer } from '../../../serving/open-inference/infer-answer.ts';

const ANSWER: InferAnswer = {
  modelName: 'churn',
  modelVersion: 3,
  id: 'mine',
  parameters: { model: 'churn', threshold: 0.5 },
  values: {
    // A view that starts in the middle of a larger buffer.
    probability: new Float32Array([9, 0.25, 0.1, 9]).subarray(1, 3),
    label: ['nö', 'ja 🚀'],
    decision: ['', 'REJECT'],
    prediction_id: ['a', 'b'],
  },
};

test('as JSON, an answer has the request’s id, the version, and the outputs that were asked for in their order', () => {
  const { body, jsonBytes } = encodeAnswer(ANSWER, [
    { name: 'label', binary: false },
    { name: 'probability', binary: false },
  ]);
  expect(jsonBytes).toBeNull();
  expect(JSON.parse(body as string)).toEqual({
    model_name: 'churn',
    model_version: '3',
    id: 'mine',
    parameters: { model: 'churn', threshold: 0.5 },
    outputs: [
      { name: 'label', datatype: 'BYTES', shape: [2], data: ['nö', 'ja 🚀'] },
      { name: 'probability', datatype: 'FP32', shape: [2], data: [0.25, Math.fround(0.1)] },
    ],
  });
});

test('an answer to a request without an id has none', () => {
  const { body } = encodeAnswer({ ...ANSWER, id: undefined }, []);
  expect(JSON.parse(body as string)).not.toHaveProperty('id');
});

test('binary outputs stand behind the JSON in their order, floats little-endian and texts after their lengths', () => {
  const { body, jsonBytes } = encodeAnswer(ANSWER, [
    { name: 'label', binary: true },
    { name: 'prediction_id', binary: false },
    { name: 'probability', binary: true },
    { name: 'decision', binary: true },
  ]);
  const bytes = Buffer.from(body as Uint8Array);
  const { outputs } = JSON.parse(bytes.subarray(0, jsonBytes!).toString()) as { outputs: object[] };
  expect(outputs).toEqual([
    { name: 'label', datatype: 'BYTES', shape: [2], parameters: { binary_data_size: 18 } },
    { name: 'prediction_id', datatype: 'BYTES', shape: [2], data: ['a', 'b'] },
    { name: 'probability', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } },
    { name: 'decision', datatype: 'BYTES', shape: [2], parameters: { binary_data_size: 14 } },
  ]);
  const tensors = bytes.subarray(jsonBytes!);
  expect(tensors).toHaveLength(18 + 8 + 14);
  expect(tensors.subarray(0, 18)).toEqual(Buffer.from('\u0003\0\0\0nö\u0007\0\0\0ja 🚀'));
  expect([tensors.readFloatLE(18), tensors.readFloatLE(22)]).toEqual([0.25, Math.fround(0.1)]);
  expect(tensors.subarray(26)).toEqual(Buffer.from('\0\0\0\0\u0006\0\0\0REJECT'));
});
