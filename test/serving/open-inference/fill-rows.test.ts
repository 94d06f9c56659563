import { expect, test } from 'vitest';
import type { PlatformError } from '../../../lib/errors.ts';
import type { InputColumn } from '../../../ml/features.ts';
import { compileRowFiller } from '../../../serving/open-inference/fill-rows.ts';
import { readInferRequest } from '../../../serving/open-inference/infer-request.ts';
import { createRandom } from '../../../ml/random.ts';
import { compileRowTexts } from '../../../serving/open-inference/row-texts.ts';
import { bytesOf, fp32, inferBody, int64, lengthPrefixed, type TestTensor } from './requests.ts';

const INPUTS: readonly InputColumn[] = [
  { name: 'age', type: 'numeric', nullable: false },
  { name: 'plan', type: 'categorical_string', nullable: true },
  { name: 'spend', type: 'numeric', nullable: true },
  { name: 'region', type: 'categorical_integer', nullable: true },
  { name: 'active', type: 'boolean', nullable: true },
];
const fillRows = compileRowFiller({ inputs: INPUTS });
const rowTexts = compileRowTexts({ inputs: INPUTS });
const fill = (...tensors: TestTensor[]) => {
  const { bytes, headerLength } = inferBody(tensors);
  const request = readInferRequest(bytes, headerLength, 1000);
  const { buffers, sent } = fillRows(request);
  return {
    ...buffers,
    texts: buffers.texts,
    features: rowTexts(sent, request.rows).then((texts) => texts.flatMap((text) => JSON.parse(text) as object[])),
  };
};
const refused = (...tensors: TestTensor[]): string[] => {
  try {
    fill(...tensors);
  } catch (error) {
    return (error as PlatformError).details.map(({ path, rule }) => `${path} ${rule}`);
  }
  throw new Error('it was not refused');
};
const tensor = (name: string, datatype: string, rows: number, data: unknown, shape: number[] = [rows]): TestTensor => ({
  name,
  datatype,
  shape,
  data,
});
const AGES = tensor('age', 'FP32', 2, [1, 2]);

test('a text with U+0000 is refused as in JSON rows, in bytes and in JSON', () => {
  for (const data of [lengthPrefixed('plus', 'a\0b'), ['plus', 'a\0b']])
    expect(refused(AGES, tensor('plan', 'BYTES', 2, data))).toEqual(['rows[1].plan no_nul']);
});

test('tensors of every kind become packed rows, and rows of the log', async () => {
  const filled = fill(
    tensor('active', 'BOOL', 3, Buffer.from([1, 0, 1])),
    tensor('region', 'INT64', 3, int64(7n, -9007199254740991n, -(2n ** 63n))),
    tensor('spend', 'FP32', 3, fp32(0.1, NaN, -0)),
    tensor('plan', 'BYTES', 3, lengthPrefixed('basic', '', 'größer 🚀')),
    tensor(
      'age',
      'FP64',
      3,
      bytesOf(8, [30, 0.1, 1e38], (view, at, value) => view.setFloat64(at, value, true)),
      [3, 1],
    ),
  );
  const f = Math.fround;
  expect([...filled.numbers]).toEqual([30, f(0.1), 1, f(0.1), NaN, 0, f(1e38), -0, 1]);
  expect(filled.texts).toEqual(['basic', '', 'größer 🚀']);
  expect([...filled.integers]).toEqual([7n, -9007199254740991n, -(2n ** 63n)]);
  expect(await filled.features).toEqual([
    { age: 30, plan: 'basic', spend: 0.1, region: 7, active: true },
    { age: 0.1, plan: '', spend: null, region: -9007199254740991, active: false },
    { age: 1e38, plan: 'größer 🚀', spend: 0, region: null, active: true },
  ]);
});

test('JSON says the same, flat or nested, with null for what is missing', async () => {
  const json = fill(
    tensor('age', 'FP32', 2, [[30], [0.1]], [2, 1]),
    tensor('spend', 'FP64', 2, [null, 1.5]),
    tensor('plan', 'BYTES', 2, ['basic', null]),
    tensor('region', 'INT32', 2, [null, 7]),
    tensor('active', 'BOOL', 2, [[null], [true]], [2, 1]),
  );
  expect([...json.numbers]).toEqual([30, NaN, NaN, Math.fround(0.1), 1.5, 1]);
  expect(json.texts).toEqual(['basic', '']);
  expect([...json.integers]).toEqual([-(2n ** 63n), 7n]);
  expect(await json.features).toEqual([
    { age: 30, plan: 'basic', spend: null, region: null, active: null },
    { age: 0.1, plan: null, spend: 1.5, region: 7, active: true },
  ]);
});

test('booleans may be numbers, so that missing ones have a place in bytes', async () => {
  const { numbers, features } = fill(
    tensor('age', 'FP32', 3, fp32(5, 6, 7)),
    tensor('active', 'FP32', 3, fp32(1, NaN, 0)),
  );
  expect([...numbers].filter((_, index) => index % 3 === 2)).toEqual([1, NaN, 0]);
  expect(await features).toEqual([
    { age: 5, active: true },
    { age: 6, active: null },
    { age: 7, active: false },
  ]);
});

test('a nullable feature that is not sent is missing in every row', async () => {
  const { numbers, texts, integers, features } = fill(AGES);
  expect([...numbers]).toEqual([1, NaN, NaN, 2, NaN, NaN]);
  expect(texts).toEqual(['', '']);
  expect([...integers]).toEqual([-(2n ** 63n), -(2n ** 63n)]);
  expect(await features).toEqual([{ age: 1 }, { age: 2 }]);
});

test.for<[string, number, number[], (view: DataView, at: number, value: number) => void]>([
  ['INT8', 1, [-128, 127], (view, at, value) => view.setInt8(at, value)],
  ['INT16', 2, [-32768, 32767], (view, at, value) => view.setInt16(at, value, true)],
  ['INT32', 4, [-2147483648, 2147483647], (view, at, value) => view.setInt32(at, value, true)],
  ['INT64', 8, [-9007199254740991, 9007199254740991], (view, at, value) => view.setBigInt64(at, BigInt(value), true)],
  ['UINT8', 1, [0, 255], (view, at, value) => view.setUint8(at, value)],
  ['UINT16', 2, [0, 65535], (view, at, value) => view.setUint16(at, value, true)],
  ['UINT32', 4, [0, 4294967295], (view, at, value) => view.setUint32(at, value, true)],
  ['UINT64', 8, [0, 9007199254740991], (view, at, value) => view.setBigUint64(at, BigInt(value), true)],
  ['FP32', 4, [-16777216, 16777216], (view, at, value) => view.setFloat32(at, value, true)],
  ['FP64', 8, [-9007199254740991, 9007199254740991], (view, at, value) => view.setFloat64(at, value, true)],
])(
  'both ends of %s arrive exactly as an integer, and as the nearest float32 as a number',
  ([datatype, size, values, set]) => {
    for (const data of [bytesOf(size, values, set), values]) {
      const filled = fill(tensor('age', datatype, 2, data), tensor('region', datatype, 2, data));
      expect([...filled.integers]).toEqual(values.map(BigInt));
      expect([filled.numbers[0], filled.numbers[3]]).toEqual(values.map(Math.fround));
    }
  },
);

test.for<[string, TestTensor, string]>([
  ['NaN where nothing may be missing', tensor('age', 'FP32', 2, fp32(1, NaN)), 'rows[1].age not_null'],
  ['null where nothing may be missing', tensor('age', 'FP32', 2, [null, 1]), 'rows[0].age not_null'],
  ['an infinity', tensor('age', 'FP32', 2, fp32(Infinity, 1)), 'rows[0].age finite'],
  ['a negative infinity', tensor('spend', 'FP32', 2, fp32(0, -Infinity)), 'rows[1].spend finite'],
  ['a double beyond float32', tensor('age', 'FP64', 2, [1, 1e39]), 'rows[1].age float32'],
  ['text for a number', tensor('age', 'FP32', 2, [1, '2']), 'rows[1].age type'],
  ['a list for a number', tensor('age', 'FP32', 2, [1, [2, 3]]), 'rows[1].age type'],
  ['true for a number', tensor('age', 'FP32', 2, [1, true]), 'rows[1].age type'],
  ['a fraction in an integer type', tensor('age', 'INT32', 2, [1, 1.5]), 'rows[1].age datatype'],
  ['more than an integer type holds', tensor('age', 'INT8', 2, [1, 128]), 'rows[1].age datatype'],
  ['less than nothing in an unsigned type', tensor('age', 'UINT64', 2, [-1, 1]), 'rows[0].age datatype'],
  ['a fraction for a category', tensor('region', 'FP64', 2, [1, 1.5]), 'rows[1].region safe_integer'],
  ['2^53 + 1 for a category', tensor('region', 'INT64', 2, int64(1n, 2n ** 53n + 1n)), 'rows[1].region safe_integer'],
  ['2^53 + 1 in JSON', tensor('region', 'INT64', 2, [1, 2 ** 53 + 1]), 'rows[1].region safe_integer'],
  [
    'a number next to the missing one',
    tensor('region', 'INT64', 2, int64(1n, -(2n ** 63n) + 1n)),
    'rows[1].region safe_integer',
  ],
  ['a byte that is no boolean', tensor('active', 'BOOL', 2, Buffer.from([1, 2])), 'rows[1].active type'],
  ['1 for true', tensor('active', 'BOOL', 2, [1, true]), 'rows[0].active type'],
  ['a number for text', tensor('plan', 'BYTES', 2, ['a', 1]), 'rows[1].plan type'],
  [
    'bytes that are no UTF-8',
    tensor('plan', 'BYTES', 2, lengthPrefixed('a', Buffer.from([0xc3, 0x28]))),
    'rows[1].plan utf8',
  ],
  ['a feature that nobody knows', tensor('colour', 'FP32', 2, [1, 2]), 'inputs[1].name unknown_column'],
  ['numbers for text', tensor('plan', 'FP32', 2, [1, 2]), 'inputs[1].datatype datatype'],
  ['text for numbers', tensor('spend', 'BYTES', 2, ['1', '2']), 'inputs[1].datatype datatype'],
  ['text for booleans', tensor('active', 'BYTES', 2, ['true', 'false']), 'inputs[1].datatype datatype'],
  ['a number that is neither 0 nor 1 for a boolean', tensor('active', 'UINT8', 2, [1, 2]), 'rows[1].active type'],
  [
    'a text without an end',
    tensor('plan', 'BYTES', 2, lengthPrefixed('a', 'bc').subarray(0, -1)),
    'inputs[1].parameters.binary_data_size length',
  ],
  [
    'half a length',
    tensor('plan', 'BYTES', 2, lengthPrefixed('a', 'b').subarray(0, 7)),
    'inputs[1].parameters.binary_data_size length',
  ],
  ['one text too few', tensor('plan', 'BYTES', 2, lengthPrefixed('a')), 'inputs[1].parameters.binary_data_size length'],
  [
    'one text too many',
    tensor('plan', 'BYTES', 2, lengthPrefixed('a', 'b', 'c')),
    'inputs[1].parameters.binary_data_size length',
  ],
  [
    'a text of 4 GiB',
    tensor('plan', 'BYTES', 2, Buffer.from([255, 255, 255, 255, 0, 0, 0, 0])),
    'inputs[1].parameters.binary_data_size length',
  ],
])('%s is refused', ([, wrong, expected]) => {
  expect(refused(...(wrong.name === 'age' ? [wrong] : [AGES, wrong]))).toEqual([expected]);
});

test('a replacement character that was really sent is no broken text', () => {
  expect(fill(AGES, tensor('plan', 'BYTES', 2, lengthPrefixed('\ufffd', 'b'))).texts).toEqual(['\ufffd', 'b']);
});

test('every wrong value is named up to a hundred, and the first one in words', () => {
  const ages = tensor('age', 'FP32', 500, new Array(500).fill('x'));
  const colour = tensor('colour', 'FP32', 500, new Array(500).fill(1));
  expect(refused(ages, colour)).toHaveLength(100);
  expect(refused(tensor('spend', 'FP32', 1, [1]))).toEqual(['age required']);
  expect(() => fill(tensor('age', 'FP32', 2, ['x', null]))).toThrow(
    'the request is not valid: rows[0].age must be a number (and 1 more)',
  );
});

test('a feature named like an inherited property is required as any other', () => {
  const strict = compileRowFiller({ inputs: [{ name: 'toString', type: 'numeric', nullable: false }] });
  const { bytes } = inferBody([tensor('__proto__', 'FP32', 1, [1])]);
  expect(() => strict(readInferRequest(bytes, undefined, 10))).toThrow("'__proto__' is not a feature of the model");
  expect(() => strict({ rows: 1, inputs: [] })).toThrow('toString is required');
});

test('a name that could be code, or a prototype, is a name', async () => {
  const inputs = ['__proto__', '"]: process.exit(), ["', 'a\nb'].map((name) => ({
    ...{ name, type: 'numeric' as const, nullable: true },
  }));
  const [text] = await compileRowTexts({ inputs })([[1], [2], [3]], 1);
  expect(text).toBe(`[{"__proto__":1,${JSON.stringify(inputs[1]!.name)}:2,"a\\nb":3}]`);
});

test('a float32 is written with few digits where these say the same, and never as another float32', async () => {
  const few = [0.1, -12.345678, 1e-6, 16777216];
  const others = [
    1e20,
    1e-7,
    1.401298464324817e-45,
    3.4028234663852886e38,
    Math.fround(Math.PI),
    -0.1234567,
    123456.789,
  ];
  const random = createRandom(3);
  const bits = new Float32Array(Uint32Array.from({ length: 5000 }, () => random() * 2 ** 32).buffer);
  const floats = Float32Array.of(...few, ...others, ...bits.filter(Number.isFinite));
  const view = new DataView(floats.buffer);
  const texts = await compileRowTexts({ inputs: [INPUTS[0]!] })([view], floats.length);
  const written = texts.flatMap((text) => JSON.parse(text) as { age: number }[]).map(({ age }) => age);
  expect(written.slice(0, few.length)).toEqual(few);
  expect(Float32Array.from(written)).toEqual(floats.map((float) => float || 0)); // JSON has no -0
});

test('many rows are written in slices, each row once', async () => {
  const values = Array.from({ length: 1000 }, (_, row) => row);
  const texts = await compileRowTexts({ inputs: [INPUTS[0]!] })([values], 1000);
  expect(texts.map((text) => text.length > 1)).toEqual([true, true, true, true]);
  expect(texts.flatMap((text) => JSON.parse(text) as object[])).toEqual(values.map((age) => ({ age })));
});
