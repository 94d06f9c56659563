import { expect, test } from 'vitest';
import { PlatformError } from '../../../lib/errors.ts';
import { readInferRequest } from '../../../serving/open-inference/infer-request.ts';
import { fp32, inferBody, lengthPrefixed, type TestTensor } from './requests.ts';

const AGE: TestTensor = { name: 'age', datatype: 'FP32', shape: [2, 1], data: [1, 2] };
const BINARY_AGE: TestTensor = { ...AGE, data: fp32(1, 2) };
const read = ({ bytes, headerLength }: { bytes: Buffer; headerLength: string | undefined }) =>
  readInferRequest(bytes, headerLength, 100);
const refused = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    const [detail] = error.details;
    expect(error.message).toContain(detail!.message);
    return `${detail!.path} ${detail!.rule}`;
  }
  throw new Error('it was not refused');
};

test('JSON and binary tensors stand in one request, the bytes in the order of their tensors', () => {
  const plan = { name: 'plan', datatype: 'BYTES', shape: [2], data: lengthPrefixed('basic', 'plüs') };
  const request = read(inferBody([plan, AGE, { ...BINARY_AGE, name: 'spend' }], { id: 'a' }));
  expect(request.rows).toBe(2);
  expect(request.id).toBe('a');
  const [first, second, third] = request.inputs;
  expect([(first!.data as DataView).byteLength, (third!.data as DataView).byteLength]).toEqual([18, 8]);
  expect(second!.data).toEqual([1, 2]);
  expect((third!.data as DataView).getFloat32(4, true)).toBe(2);
});

test('all outputs are answered unless some are named; binary is what says so, or all by default', () => {
  const outputs = (more: object) => read(inferBody([AGE], more)).outputs.map(({ name, binary }) => `${name} ${binary}`);
  expect(outputs({})).toEqual(['probability false', 'label false', 'decision false', 'prediction_id false']);
  expect(outputs({ outputs: [], parameters: { binary_data_output: true } })).toEqual([
    'probability true',
    'label true',
    'decision true',
    'prediction_id true',
  ]);
  const named = [{ name: 'label', parameters: { binary_data: false } }, { name: 'probability' }];
  expect(outputs({ outputs: named, parameters: { binary_data_output: true } })).toEqual([
    'label false',
    'probability true',
  ]);
});

test('parameters that nobody knows are let be', () => {
  const tensor = { ...AGE, parameters: { content_type: 'np' } };
  expect(read(inferBody([tensor], { parameters: { priority: 1, mine: 'x' }, model_name: 'churn' })).rows).toBe(2);
});

test.for<[string, TestTensor[] | { bytes: Buffer; headerLength: string | undefined }, string]>([
  ['no tensors', [], 'inputs min_items'],
  ['a tensor that is none', { bytes: Buffer.from('{"inputs":[null]}'), headerLength: undefined }, 'inputs[0] type'],
  ['no name', [{ ...AGE, name: undefined as never }], 'inputs[0].name required'],
  ['one name twice', [AGE, AGE], 'inputs[1].name unique'],
  ['no shape', [{ ...AGE, shape: undefined as never }], 'inputs[0].shape required'],
  ['an empty shape', [{ ...AGE, shape: [] }], 'inputs[0].shape shape'],
  ['three dimensions', [{ ...AGE, shape: [2, 1, 1] }], 'inputs[0].shape shape'],
  ['two columns', [{ ...AGE, shape: [1, 2] }], 'inputs[0].shape shape'],
  ['a huge dimension', [{ ...AGE, shape: [2 ** 53, 1] }], 'inputs[0].shape rows'],
  ['a negative dimension', [{ ...AGE, shape: [-2, 1] }], 'inputs[0].shape rows'],
  ['a negative width', [{ ...AGE, shape: [2, -1] }], 'inputs[0].shape shape'],
  ['half a row', [{ ...AGE, shape: [1.5] }], 'inputs[0].shape rows'],
  ['a dimension as text', [{ ...AGE, shape: ['2'] }], 'inputs[0].shape rows'],
  ['no rows', [{ ...AGE, shape: [0], data: [] }], 'inputs[0].shape rows'],
  ['more rows than are taken', [{ ...AGE, shape: [101] }], 'inputs[0].shape rows'],
  ['tensors that disagree', [AGE, { ...AGE, name: 'spend', shape: [3], data: [1, 2, 3] }], 'inputs[1].shape rows'],
  ['a type that nobody knows', [{ ...AGE, datatype: 'FP16' }], 'inputs[0].datatype datatype'],
  ['no data', [{ ...AGE, data: undefined }], 'inputs[0].data required'],
  ['data that is no list', [{ ...AGE, data: 'AAAA' }], 'inputs[0].data type'],
  ['too little data', [{ ...AGE, data: [1] }], 'inputs[0].data length'],
  ['too much data', [{ ...AGE, data: [1, 2, 3] }], 'inputs[0].data length'],
  [
    'shared memory',
    [{ ...AGE, parameters: { shared_memory_region: 'r' } }],
    'inputs[0].parameters.shared_memory_region unsupported',
  ],
  ['parameters that are a list', [{ ...AGE, parameters: [] as never }], 'inputs[0].parameters type'],
  [
    'a tensor shorter than its shape',
    [{ ...BINARY_AGE, data: fp32(1) }],
    'inputs[0].parameters.binary_data_size length',
  ],
  [
    'a tensor longer than its shape',
    [{ ...BINARY_AGE, data: fp32(1, 2, 3) }],
    'inputs[0].parameters.binary_data_size length',
  ],
  [
    'a negative size',
    [{ ...BINARY_AGE, parameters: { binary_data_size: -8 } }],
    'inputs[0].parameters.binary_data_size integer',
  ],
  [
    'a size that is no number',
    [{ ...BINARY_AGE, parameters: { binary_data_size: '8' } }],
    'inputs[0].parameters.binary_data_size integer',
  ],
  [
    'a size beyond the body',
    [{ ...BINARY_AGE, parameters: { binary_data_size: 2 ** 52 } }],
    'inputs[0].parameters.binary_data_size length',
  ],
  ['bytes of no tensor', [{ ...BINARY_AGE, parameters: { binary_data_size: 4 }, shape: [1] }], 'body binary_data_size'],
  ['data beside bytes', [{ ...AGE, parameters: { binary_data_size: 8 } }], 'inputs[0].data unexpected'],
  ['binary tensors without the header', { ...inferBody([AGE]), headerLength: '10' }, 'SyntaxError'],
])('a request with %s is refused', ([, request, expected]) => {
  const work = () => read(Array.isArray(request) ? inferBody(request) : request);
  if (expected === 'SyntaxError') expect(work).toThrow('the body is not JSON');
  else expect(refused(work)).toBe(expected);
});

test.for<[string, object, string]>([
  ['an id that is no text', { id: 1 }, 'id type'],
  ['parameters that are none', { parameters: [] }, 'parameters type'],
  ['a sequence', { parameters: { sequence_id: 1 } }, 'parameters.sequence_id unsupported'],
  ['a flag that is none', { parameters: { binary_data_output: 1 } }, 'parameters.binary_data_output type'],
  ['outputs that are no list', { outputs: {} }, 'outputs type'],
  ['an output that nobody knows', { outputs: [{ name: 'shap' }] }, 'outputs[0].name unknown_output'],
  ['an output twice', { outputs: [{ name: 'label' }, { name: 'label' }] }, 'outputs[1].name unique'],
  [
    'a classification',
    { outputs: [{ name: 'label', parameters: { classification: 3 } }] },
    'outputs[0].parameters.classification unsupported',
  ],
  [
    'an output in shared memory',
    { outputs: [{ name: 'label', parameters: { shared_memory_region: 'r' } }] },
    'outputs[0].parameters.shared_memory_region unsupported',
  ],
])('%s is refused', ([, more, expected]) => {
  expect(refused(() => read(inferBody([AGE], more)))).toBe(expected);
});

test.for(['0', '-1', '1e3', '', '12.5', '99999999999999999999', '100000'])(
  'an Inference-Header-Content-Length of "%s" is refused',
  (headerLength) => {
    const { bytes } = inferBody([BINARY_AGE]);
    expect(refused(() => read({ bytes, headerLength }))).toMatch(/^Inference-Header-Content-Length (integer|length)$/);
  },
);

test('each end of a binary request that breaks off is refused, and no byte beyond it is read', () => {
  const { bytes, headerLength } = inferBody([BINARY_AGE]);
  const behind = Buffer.concat([bytes, Buffer.alloc(64)]);
  for (let length = 0; length < bytes.length; length++)
    expect(() => read({ bytes: behind.subarray(0, length), headerLength })).toThrow();
});

test('a body that is no JSON, no UTF-8 or nested too deep is refused', () => {
  const bodyOf = (text: string | Buffer) => ({ bytes: Buffer.from(text as string), headerLength: undefined });
  expect(() => read(bodyOf('{"inputs": ['))).toThrow('the body is not JSON');
  expect(() => read(bodyOf(Buffer.from([0x22, 0xff, 0x22])))).toThrow('the body is not UTF-8');
  expect(() => read(bodyOf('['.repeat(100)))).toThrow('nested too deep');
  expect(refused(() => read(bodyOf('[]')))).toBe('body type');
});
