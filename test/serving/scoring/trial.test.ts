/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument -- messages are changed at any depth */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelSignature } from '../../../ml/signature.ts';
import { tryModel } from '../../../serving/scoring/trial.ts';
import {
  encode,
  FLOAT,
  floats,
  foreignModel,
  int,
  INT64,
  node,
  SIGNATURE,
  value,
  type Message,
} from '../../ml/onnx/foreign-model.ts';
import { temporaryFolder, type TemporaryFolder } from '../../platform.ts';

const rows = [
  { age: 30, plan: 'basic' },
  { age: 60, plan: null },
  { age: -5, plan: 'plus' },
];
const golden = { rows, probabilities: rows.map(({ age }) => 1 / (1 + Math.exp(-0.01 * age))) };
const signature = SIGNATURE as ModelSignature;
let folder: TemporaryFolder;
beforeAll(async () => void (folder = await temporaryFolder('trial')));
afterAll(() => folder.remove());

async function trial(model: Message, given = signature) {
  const path = join(folder.path, 'model');
  await writeFile(path, encode(model));
  return await tryModel({ path, golden, signature: given });
}
const changed = (change: (graph: Message, model: Message) => unknown): Message => {
  const model = foreignModel();
  change(model.graph, model);
  return model;
};

test('a model from outside passes, packed or too old for that', async () => {
  for (const model of [foreignModel(), changed((_, { opsetImport }) => (opsetImport[0].version = 12))]) {
    const { loadMs, cost } = await trial(model);
    expect(loadMs).toBeGreaterThanOrEqual(0);
    expect(cost[256]).toBeGreaterThan(0);
  }
});

const column = [{ dimParam: 'N' }, { dimValue: 1 }];
test.for<[string, Message, RegExp]>([
  [
    'lacks an output',
    changed((graph) => graph.output.pop()),
    /^the model file does not load: output decision is missing/,
  ],
  [
    'takes another type than its signature says',
    changed((graph) => {
      graph.input[0] = value('age', INT64, column);
      graph.node.unshift(node('Cast', ['age'], ['age_float'], int('to', FLOAT)));
      graph.node[1].input[0] = 'age_float';
    }),
    /^the model does not score its golden rows/,
  ],
  [
    'lets its rows depend on each other',
    foreignModel(
      [
        node('ReduceMax', ['age'], ['oldest'], int('keepdims', 0)),
        node('Mul', ['oldest', 'ten_thousandth'], ['weight']),
      ],
      [floats('ten_thousandth', [1 / 6000])],
    ),
    /^golden row 0: the model answers 0\.5\d+ alone, but 0\.5\d+ among other rows/,
  ],
  [
    'answers other classes than its signature',
    changed(
      (graph) => (graph.initializer.find(({ name }: Message) => name === 'yes').stringData = [Buffer.from('JA')]),
    ),
    /^golden row 0: the model answers the class JA, its signature yes/,
  ],
])('a model that %s is refused', async ([, model, reason]) => {
  await expect(trial(model)).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringMatching(reason) as string,
  });
});
