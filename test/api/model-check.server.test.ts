/* eslint-disable @typescript-eslint/no-unsafe-member-access -- messages are changed at any depth */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createModelCheck } from '../../api/model-check.ts';
import type { PlatformError } from '../../lib/errors.ts';
import { createLimitedProcesses } from '../../lib/limited-process.ts';
import { inspectOnnx } from '../../ml/onnx/inspect.ts';
import { RefusedModel } from '../../ml/onnx/read.ts';
import { servedSignature } from '../../ml/onnx/served-contract.ts';
import { createRandom } from '../../ml/random.ts';
import { encode, filled, floats, foreignModel, node, SIGNATURE, slow } from '../ml/onnx/foreign-model.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { exampleModel } from '../serving/example-models.ts';

const SCRIPT = new URL('../../workers/check-model.ts', import.meta.url);
const checkModel = createModelCheck(createLimitedProcesses({ concurrent: 2, waiting: 100 }), SCRIPT);
let folder: TemporaryFolder;
let files = 0;
beforeAll(async () => void (folder = await temporaryFolder('models')));
afterAll(() => folder.remove());

/** Checked as a file of 16 MiB unless said: that gets 2.4 s of processor time, which a small one does not reach on a busy machine either. */
async function check(content: Uint8Array, bytes = 16 * 2 ** 20) {
  const path = join(folder.path, String(files++));
  await writeFile(path, content);
  return await checkModel({ path, bytes, sha256: '' }, AbortSignal.timeout(600_000));
}
const refusal = async (content: Uint8Array, bytes?: number) => {
  const error = await check(content, bytes).then(() => expect.unreachable('was accepted'), (cause: unknown) => cause as PlatformError); // prettier-ignore
  expect(error).toMatchObject({ code: 'INVALID', details: [expect.anything()] });
  const { path, rule, message } = error.details[0]!;
  expect(message).not.toMatch(/onnxruntime_src|workers|\.ts/);
  return `${path} ${rule}`;
};

test('a model of ours and one from outside are accepted, with answers for made-up rows', async () => {
  const ours = await exampleModel();
  const checked = await check(ours.onnx);
  expect(checked.signature).toEqual(ours.signature);
  expect(checked.golden.rows[1]).toEqual({ age: expect.any(Number) as number, spend: null, plan: null });
  const foreign = await check(encode(foreignModel()));
  expect(foreign.signature).toEqual(SIGNATURE);
  const sigmoid = (age: unknown) => 1 / (1 + Math.exp(-0.01 * (age as number)));
  expect(foreign.golden.probabilities).toHaveLength(foreign.golden.rows.length);
  for (const [row, probability] of foreign.golden.probabilities.entries()) {
    expect(probability).toBeCloseTo(sigmoid(foreign.golden.rows[row]!['age']), 5);
  }
});

test('what a model does is tried within limits', async () => {
  const endless = encode(slow(300));
  expect(await refusal(endless, endless.length)).toBe(' time');
  expect(await refusal(encode(filled([20_000, 20_000])))).toBe(' memory');
  expect(await refusal(encode(filled([2 ** 31, 2 ** 31])))).toBe('graph scores');
});

test('a model that does not answer as its signature says is refused', async () => {
  const from = (...weight: Parameters<typeof foreignModel>) => refusal(encode(foreignModel(...weight)));
  const constant = (value: number) => floats('constant', [value]);
  expect(await from([node('Identity', ['constant'], ['weight'])], [constant(NaN)])).toBe('graph.output (row 0) probability');
  // Its rows depend on each other.
  expect(await from([node('ReduceMax', ['age'], ['most']), node('Reciprocal', ['most'], ['weight'])])).toMatch(/row_by_row/);
  const other = foreignModel();
  other.metadataProps[0].value = JSON.stringify({ ...SIGNATURE, decision: { negative: 'REJECT', positive: 'ACCEPT' } });
  expect(await refusal(encode(other))).toBe('graph.output (row 0) decision');
  const lower = foreignModel();
  lower.metadataProps[0].value = JSON.stringify({ ...SIGNATURE, threshold: 0.1 });
  expect(await refusal(encode(lower))).toMatch(/label/);
  const unknown = foreignModel([node('NoSuchOperator', ['age'], ['weight'])]);
  expect(await refusal(encode(unknown))).toBe(' loads');
}); // prettier-ignore

test('a damaged file is refused or does what it says; nothing crashes or hangs', async () => {
  const good = (await exampleModel()).onnx;
  const random = createRandom(1);
  const passed: Uint8Array[] = [];
  let refused = 0;
  for (let round = 0; round < 4000; round++) {
    const damaged = damage(good, random);
    try {
      servedSignature(inspectOnnx(damaged));
      passed.push(damaged);
    } catch (error) {
      expect(error).toBeInstanceOf(RefusedModel);
      refused++;
    }
  }
  expect([refused > 500, passed.length > 30]).toEqual([true, true]);
  const outcomes = await Promise.all(
    passed.slice(0, 30).map((bytes) => check(bytes).then(() => 'accepted', (error: PlatformError) => error.code)),
  ); // prettier-ignore
  expect(outcomes.filter((outcome) => outcome !== 'accepted' && outcome !== 'INVALID')).toEqual([]);
});

/** One to four bytes are others, or a part is missing, or repeated. */
function damage(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = () => Math.floor(random() * bytes.length);
  const kind = random();
  if (kind < 0.1) return bytes.subarray(0, at());
  if (kind < 0.2) return Buffer.concat([bytes.subarray(0, at()), bytes.subarray(at())]);
  const damaged = Uint8Array.from(bytes);
  for (let flips = Math.ceil(random() * 4); flips > 0; flips--) damaged[at()]! ^= 1 << Math.floor(random() * 8);
  return damaged;
}
