import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FittedFeatures } from '../../ml/features.ts';
import { writeOnnx } from '../../ml/onnx/write.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { compileRowValidator } from '../../serving/row-validator.ts';
import { openPackedSession, type PackedSession } from '../../serving/scoring/packed-session.ts';
import { layoutOf } from '../../serving/scoring/row-buffers.ts';
import { createServedSlot, type ServedSlot } from '../../serving/served-slot.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { runPeer } from '../python.ts';
import { createTestServing, exampleLoaded } from './doubles.ts';
import { servedModel, SIGNATURE } from './example-models.ts';

const WORDS = ['größe', '日本', 'é', 'e\u0301', '😀', ' a', 'a\tb"\\', 'x'.repeat(1000)];
const codesOf = (count: number) => Array.from({ length: count }, (_, index) => Math.fround((index + 1) / 10));
const CODES = [-(2 ** 53 - 1), -1, 0, 1, 2 ** 53 - 1];
const FEATURES: FittedFeatures = {
  inputs: [
    { name: 'x', type: 'numeric', nullable: true },
    { name: 'flag', type: 'boolean', nullable: true },
    { name: 'word', type: 'categorical_string', nullable: true },
    { name: 'code', type: 'categorical_integer', nullable: true },
  ],
  encodings: [
    { column: 'word', categories: WORDS, codes: codesOf(WORDS.length) },
    { column: 'code', categories: CODES, codes: codesOf(CODES.length) },
  ],
  derived: [],
};
const signature = { ...SIGNATURE, inputs: FEATURES.inputs };
const onnx = writeOnnx({
  features: FEATURES,
  signature,
  metadata: {},
  model: {
    kind: 'logistic_regression',
    columns: ['x', 'flag', 'word', 'code'],
    impute: [0.5, 0.25, 2, 3],
    mean: [0, 0, 0, 0],
    scale: [1, 1, 1, 1],
    coefficients: [0.5, 0.75, 1.5, -1.25],
    missing: [0, 1, 2, 3].map((column) => ({ column, coefficient: 0.01 * (column + 1) })),
    intercept: -0.5,
  },
});

let folder: TemporaryFolder;
let session: PackedSession;
let predict: (body: string) => Promise<{ status: number; answer: Record<string, unknown> }>;

beforeAll(async () => {
  folder = await temporaryFolder('corners');
  await writeFile(join(folder.path, 'model.onnx'), onnx);
  const layout = layoutOf(signature.inputs);
  session = await openPackedSession(onnx, layout);
  const validate = compileRowValidator(signature);
  const loaded = exampleLoaded(1, { model: servedModel(1, { signature }), layout, session, validate });
  const slots = createModelSlots<ServedSlot>(() => undefined);
  slots.swap('churn', createServedSlot(loaded, { endpoint: 'churn', revision: 1 }));
  const { app } = createTestServing({ slots });
  predict = async (body) => {
    const response = await app.request('/predict', { method: 'POST', body, headers: { authorization: 'Bearer ada' } });
    return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
  };
});
afterAll(async () => {
  await session.release();
  await folder.remove();
});

const text = (value: string) => `{"word": ${JSON.stringify(value)}}`;
/** Bodies as they are sent: JSON.stringify would round the numbers first. */
const ACCEPTED = [
  '{}',
  '{"x": null, "flag": null, "word": null, "code": null}',
  ...['0', '-0', '1e-45', '1e-46', '5e-324', '-1e-300', '0.1', '1e10', '9007199254740993', '16777217'].map(
    (number) => `{"x": ${number}}`,
  ),
  ...['3.4028234663852886e38', '-3.4028234663852886e38', '3.4028234663852886e+38'].map((number) => `{"x": ${number}}`),
  '{"flag": true}',
  '{"flag": false}',
  ...WORDS.map(text),
  ...['', 'unknown', 'GRÖSSE', 'gro\u0308ße', 'a', 'a ', 'x'.repeat(999), 'x'.repeat(100_000).slice(0, 15_000)].map(
    text,
  ),
  ...['-9007199254740991', '9007199254740991', '-0', '0', '1.0', '1e0', '12345'].map((number) => `{"code": ${number}}`),
];

test('what is accepted at the edges is answered as Python answers it with the same file, to the last bit', async () => {
  const names = signature.inputs.map(({ name }) => name);
  // Python reads -0 as an integer and 1.0 as none: integers are given to it as such.
  const rows = ACCEPTED.map((body) => {
    const row = body.replace(/("code": )(-?)0\b/, '$10').replace(/("code": )1(?:\.0|e0)/, '$11');
    return row.replace(
      /^{/,
      `{${names
        .filter((name) => !row.includes(`"${name}"`))
        .map((name) => `"${name}": null,`)
        .join('')}`,
    );
  });
  await writeFile(join(folder.path, 'rows.json'), `[${rows.join(',').replaceAll(',}', '}')}]`);
  const python = (await runPeer('score_onnx.py', [
    join(folder.path, 'model.onnx'),
    join(folder.path, 'rows.json'),
  ])) as {
    probability: number[];
    label: string[];
  };
  const ours = await Promise.all(ACCEPTED.map(predict));
  expect(ours.map(({ status }) => status)).toEqual(ACCEPTED.map(() => 200));
  expect(ours.map(({ answer }) => answer['probability'])).toEqual(python.probability);
  expect(ours.map(({ answer }) => answer['label'])).toEqual(python.label);
});

test('categories differ when their code points do; unknown ones and "" are scored as missing', async () => {
  const probability = async (body: string) => (await predict(body)).answer['probability'];
  const known = await Promise.all(WORDS.map((word) => probability(text(word))));
  expect(new Set(known).size).toBe(WORDS.length);
  const missing = await probability('{}');
  for (const word of ['', 'unknown', 'GRÖSSE', '\ud83d']) expect(await probability(text(word))).toBe(missing);
  expect(await probability('{"code": 12345}')).toBe(missing);
});

test.each([
  ['{"x": 1e999}', 'x', 'finite'],
  ['{"x": -1e999}', 'x', 'finite'],
  ['{"x": Infinity}', 'x', 'finite'],
  ['{"x": -Infinity}', 'x', 'finite'],
  ['{"x": NaN}', 'x', 'finite'],
  ['{"x": 1e308}', 'x', 'float32'],
  ['{"x": 3.5e38}', 'x', 'float32'],
  ['{"x": "1"}', 'x', 'type'],
  ['{"x": true}', 'x', 'type'],
  ['{"flag": 1}', 'flag', 'type'],
  ['{"flag": "true"}', 'flag', 'type'],
  ['{"word": 1}', 'word', 'type'],
  ['{"word": "a\\u0000b"}', 'word', 'no_nul'],
  ['{"code": 9007199254740992}', 'code', 'safe_integer'],
  ['{"code": 9007199254740993}', 'code', 'safe_integer'],
  ['{"code": -9007199254740993}', 'code', 'safe_integer'],
  ['{"code": 1.5}', 'code', 'safe_integer'],
  ['{"code": "1"}', 'code', 'type'],
])('%s is refused by name and rule', async (body, path, rule) => {
  const { status, answer } = await predict(body);
  expect(status).toBe(422);
  expect(answer['errors']).toEqual([{ path, rule, message: expect.any(String) as string }]);
});
