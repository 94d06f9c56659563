import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { ServedModel } from '../../db/endpoints.ts';
import type { ArtifactStore } from '../../lib/artifact-store.ts';
import { PlatformError } from '../../lib/errors.ts';
import type { GoldenRows } from '../../ml/signature.ts';
import { createModelCache } from '../../serving/model-cache.ts';
import { createModelLoader } from '../../serving/model-loader.ts';
import { createModelOpening } from '../../serving/scoring/model-opening.ts';
import { buffered } from './scoring/buffered.ts';
import { temporaryFolder, temporaryStore, type TemporaryFolder } from '../platform.ts';
import { untried } from './doubles.ts';
import { exampleModel, servedModel, SIGNATURE, type ExampleModel } from './example-models.ts';

let store: ArtifactStore;
let folder: TemporaryFolder;
let storeFolder: TemporaryFolder;
beforeEach(async () => {
  ({ store, folder: storeFolder } = await temporaryStore());
  folder = await temporaryFolder('cache');
});
afterAll(() => opening.close());
afterEach(() => Promise.all([folder.remove(), storeFolder.remove()]));

const opening = createModelOpening({ timeoutMs: 60_000 });
const loaderOf = () => createModelLoader({ cache: createModelCache(folder.path, store), opening });
const untriedLoader = (from: Pick<ArtifactStore, 'getFile'>) =>
  createModelLoader({ cache: createModelCache(folder.path, from), opening: untried, retryDelayMs: 1 });
async function stored({ onnx, golden, signature }: ExampleModel): Promise<ServedModel> {
  const { sha256: onnxSha256 } = await store.put(onnx);
  const { sha256: goldenRowsSha256 } = await store.put(Buffer.from(JSON.stringify(golden)));
  return servedModel(1, { onnxSha256, goldenRowsSha256, signature });
}

test('a good model answers as its file does, on the event loop, and says what it costs', async () => {
  const { golden, ...example } = await exampleModel();
  const { session, layout, lane, cost, release } = await loaderOf()(await stored({ golden, ...example }));
  expect([...(await session.probabilities(buffered(layout, golden.rows), golden.rows.length))]).toEqual(
    golden.probabilities,
  );
  expect(lane).toBe('inline');
  expect(cost[1]).toBeGreaterThan(0);
  expect(cost[256]).toBeGreaterThan(cost[1]);
  await release();
});

test('a model whose single row takes long is scored on a thread', async () => {
  const heavy = (cost: number, loadMs: number) => {
    const tryModel = () => Promise.resolve({ loadMs, cost: { 1: cost, 32: 32 * cost, 256: 256 * cost } });
    const openOnThread = vi.fn(opening.openOnThread);
    const cache = createModelCache(folder.path, store);
    return { openOnThread, load: createModelLoader({ cache, opening: { tryModel, openOnThread } }) };
  };
  const { golden, ...example } = await exampleModel();
  const model = await stored({ golden, ...example });
  for (const [cost, loadMs] of [
    [200, 1],
    [10, 100],
  ] as const) {
    const { openOnThread, load } = heavy(cost, loadMs);
    const { session, layout, lane, release } = await load(model);
    expect(lane).toBe('thread');
    expect(openOnThread).toHaveBeenCalledOnce();
    expect([...(await session.probabilities(buffered(layout, golden.rows), 3))]).toEqual(golden.probabilities);
    await release();
  }
});

test('a threshold that float32 rounds down decides as the file does', async () => {
  // The first golden row's own probability as float64 text: below it in float32, the file says positive.
  const probe = await exampleModel();
  const threshold = probe.golden.probabilities[0]! + 1e-9;
  expect(Math.fround(threshold)).toBeLessThan(threshold);
  await (await loaderOf()(await stored(await exampleModel(0, { ...SIGNATURE, threshold })))).release();
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
  await (await untriedLoader({ getFile })(model)).release();
  getFile.mockClear();
  const missing = servedModel(2, { onnxSha256: 'f'.repeat(64), goldenRowsSha256: model.goldenRowsSha256 });
  await expect(untriedLoader({ getFile })(missing)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(getFile).toHaveBeenCalledTimes(1);
});

test('what a model is explained with comes to the disk too; without it the model is loaded all the same', async () => {
  const { sha256: explainerSha256 } = await store.put(Buffer.from('{}'));
  const model = await stored(await exampleModel());
  await (await untriedLoader(store)({ ...model, explainerSha256 })).release();
  expect(await readFile(join(folder.path, explainerSha256), 'utf8')).toBe('{}');
  await (await untriedLoader(store)({ ...model, explainerSha256: 'f'.repeat(64) })).release();
});

test('what is on disk is not downloaded again, unless it is damaged', async () => {
  const model = await stored(await exampleModel());
  const getFile = vi.fn((sha256: string, path: string) => store.getFile(sha256, path));
  await (await untriedLoader({ getFile })(model)).release();
  await (await untriedLoader({ getFile })(model)).release();
  expect(getFile).toHaveBeenCalledTimes(2);
  const path = join(folder.path, model.onnxSha256);
  await writeFile(path, (await readFile(path)).subarray(1));
  await (await untriedLoader({ getFile })(model)).release();
  expect(getFile).toHaveBeenCalledTimes(3);
});

test('the cache forgets what it has not been told to keep for a minute, and nothing else in its folder', async () => {
  const model = await stored(await exampleModel());
  await (await untriedLoader(store)(model)).release();
  await writeFile(join(folder.path, 'endpoints.json'), '{}');
  const { prune } = createModelCache(folder.path, store);
  const [all, kept] = [await readdir(folder.path), new Set([model.onnxSha256])];
  for (const nowMs of [0, 59_999]) await prune(kept, nowMs);
  await prune(new Set([model.onnxSha256, model.goldenRowsSha256]), 60_000);
  for (const nowMs of [70_000, 129_999]) await prune(kept, nowMs);
  expect((await readdir(folder.path)).sort()).toEqual(all.sort());
  await prune(kept, 130_000);
  expect((await readdir(folder.path)).sort()).toEqual([model.onnxSha256, 'endpoints.json'].sort());
});
