import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServedModel } from '../../db/endpoints.ts';
import type { ArtifactStore } from '../../lib/artifact-store.ts';
import { PlatformError } from '../../lib/errors.ts';
import type { GoldenRows } from '../../ml/signature.ts';
import { createModelCache } from '../../serving/model-cache.ts';
import { createModelLoader } from '../../serving/model-loader.ts';
import { openOnnxModel } from '../../serving/onnx-model.ts';
import { temporaryFolder, temporaryStore, type TemporaryFolder } from '../platform.ts';
import { exampleModel, GOLDEN_ROWS, servedModel, SIGNATURE, type ExampleModel } from './example-models.ts';

let store: ArtifactStore;
let folder: TemporaryFolder;
let storeFolder: TemporaryFolder;
beforeEach(async () => {
  ({ store, folder: storeFolder } = await temporaryStore());
  folder = await temporaryFolder('cache');
});
afterEach(() => Promise.all([folder.remove(), storeFolder.remove()]));

const loaderOf = (from: Pick<ArtifactStore, 'getFile'> = store) =>
  createModelLoader({ cache: createModelCache(folder.path, from), openSession: openOnnxModel, retryDelayMs: 1 });
async function stored({ onnx, golden, signature }: ExampleModel): Promise<ServedModel> {
  const { sha256: onnxSha256 } = await store.put(onnx);
  const { sha256: goldenRowsSha256 } = await store.put(Buffer.from(JSON.stringify(golden)));
  return servedModel(1, { onnxSha256, goldenRowsSha256, signature });
}

test('a good model answers label, probability and decision as its file does', async () => {
  const example = await exampleModel();
  const loaded = await loaderOf()(await stored(example));
  const session = await openOnnxModel(example.onnx);
  expect(await loaded.score(GOLDEN_ROWS)).toEqual(await session.scores(GOLDEN_ROWS));
  await Promise.all([loaded.release(), session.release()]);
});

test('a threshold that float32 rounds down decides as the file does', async () => {
  // The first golden row's own probability as float64 text: below it in float32, the file says positive.
  const probe = await exampleModel();
  const threshold = probe.golden.probabilities[0]! + 1e-9;
  expect(Math.fround(threshold)).toBeLessThan(threshold);
  const loaded = await loaderOf()(await stored(await exampleModel(0, { ...SIGNATURE, threshold })));
  expect((await loaded.score(GOLDEN_ROWS))[0]).toMatchObject({ label: 'yes', decision: 'REJECT' });
  await loaded.release();
});

test.for<[string, (good: ExampleModel) => Partial<ExampleModel>, string]>([
  ['that is truncated', ({ onnx }) => ({ onnx: onnx.slice(0, onnx.length / 2) }), 'does not load'],
  ['that is empty', () => ({ onnx: new Uint8Array() }), 'does not load'],
  ['without golden rows', () => ({ golden: { rows: [], probabilities: [] } satisfies GoldenRows }), 'no golden rows'],
  [
    'that answers a golden row otherwise',
    ({ golden }) => ({
      golden: { ...golden, probabilities: golden.probabilities.map((p, row) => p + (row === 2 ? 2e-5 : 0)) },
    }),
    'golden row 2',
  ],
  [
    'with golden rows that do not fit it',
    ({ golden }) => ({ golden: { ...golden, rows: golden.rows.map((row) => ({ ...row, age: 'old' })) } }),
    'does not score its golden rows',
  ],
  [
    'with an input less than its signature',
    ({ signature }) => ({
      signature: { ...signature, inputs: [...signature.inputs, { name: 'more', type: 'numeric', nullable: true }] },
    }),
    'lacks input more',
  ],
  [
    'that decides otherwise than its signature',
    ({ signature }) => ({ signature: { ...signature, decision: { positive: 'YES', negative: 'NO' } } }),
    'golden row 0: the model decides',
  ],
])('a model %s is refused as MODEL_INVALID', async ([, spoil, message]) => {
  const good = await exampleModel();
  const model = await stored({ ...good, ...spoil(good) });
  await expect(loaderOf()(model)).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining(message) as string,
  });
});

test('a store that is away for a moment is asked again, a missing artifact is not', async () => {
  const model = await stored(await exampleModel());
  let failures = 2;
  const getFile = vi.fn((sha256: string, path: string) =>
    failures-- > 0 ? Promise.reject(new PlatformError('UNAVAILABLE', 'away')) : store.getFile(sha256, path),
  );
  await (await loaderOf({ getFile })(model)).release();
  getFile.mockClear();
  const missing = servedModel(2, { onnxSha256: 'f'.repeat(64), goldenRowsSha256: model.goldenRowsSha256 });
  await expect(loaderOf({ getFile })(missing)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(getFile).toHaveBeenCalledTimes(1);
});

test('what is on disk is not downloaded again, unless it is damaged', async () => {
  const model = await stored(await exampleModel());
  const getFile = vi.fn((sha256: string, path: string) => store.getFile(sha256, path));
  await (await loaderOf({ getFile })(model)).release();
  await (await loaderOf({ getFile })(model)).release();
  expect(getFile).toHaveBeenCalledTimes(2);
  const path = join(folder.path, model.onnxSha256);
  await writeFile(path, (await readFile(path)).subarray(1));
  await (await loaderOf({ getFile })(model)).release();
  expect(getFile).toHaveBeenCalledTimes(3);
});

test('the cache forgets what it is not told to keep, and nothing else in its folder', async () => {
  const model = await stored(await exampleModel());
  await (await loaderOf()(model)).release();
  await writeFile(join(folder.path, 'endpoints.json'), '{}');
  await createModelCache(folder.path, store).prune(new Set([model.onnxSha256]));
  expect((await readdir(folder.path)).sort()).toEqual([model.onnxSha256, 'endpoints.json'].sort());
});
