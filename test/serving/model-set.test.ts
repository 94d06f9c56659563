import { readdir } from 'node:fs/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { ServedModel, WatchedEndpoint } from '../../db/endpoints.ts';
import type { ArtifactStore } from '../../lib/artifact-store.ts';
import { createModelSet } from '../../serving/model-set.ts';
import { temporaryFolder, temporaryStore, type TemporaryFolder } from '../platform.ts';
import { untried } from './doubles.ts';
import { exampleModel, servedModel } from './example-models.ts';

let store: ArtifactStore;
let storeFolder: TemporaryFolder;
let folder: TemporaryFolder;
beforeEach(async () => {
  ({ store, folder: storeFolder } = await temporaryStore());
  folder = await temporaryFolder('cache');
});
afterEach(() => Promise.all([folder.remove(), storeFolder.remove()]));

const put = async (text: string) => (await store.put(Buffer.from(text))).sha256;
async function stored(version: number, explainable: string | null): Promise<ServedModel> {
  const { onnx, golden, signature } = await exampleModel(version);
  return servedModel(version, {
    onnxSha256: (await store.put(onnx)).sha256,
    goldenRowsSha256: await put(JSON.stringify(golden)),
    explainerSha256: explainable === null ? null : await put(explainable),
    signature,
  });
}
const serving = (revision: number, model: ServedModel): WatchedEndpoint => ({
  name: 'churn',
  current: { revision, runId: `run-${revision}`, traceparent: null, model },
  next: null,
});
const artifactsOf = ({ onnxSha256, goldenRowsSha256, explainerSha256 }: ServedModel) =>
  [onnxSha256, goldenRowsSha256, explainerSha256].filter((sha256) => sha256 !== null).sort();

test('the disk keeps the file, the golden rows and the explainer of what is served, and of nothing else', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const models = createModelSet({
    ...{
      modelUri: 'models:/churn@production',
      store,
      folder: folder.path,
      opening: { ...untried, stopTrials: () => undefined },
    },
    resolveModel: () => Promise.reject(new Error('nothing is pinned')),
    report: () => undefined,
    log: pino({ level: 'silent' }),
  });
  const onDisk = async () => (await readdir(folder.path)).filter((name) => /^[0-9a-f]{64}$/.test(name)).sort();
  for (const [index, explainable] of ['{"first":1}', null, '{"third":1}'].entries()) {
    const model = await stored(index + 1, explainable);
    // The second is as at the next poll: what was loaded meanwhile is still kept. The third finds the rest old enough to go.
    for (const revision of [1, 2, 3]) {
      await models.update([serving(10 * index + revision, model)]);
      await models.settled();
      vi.advanceTimersByTime(60_000);
    }
    expect(await onDisk()).toEqual(artifactsOf(model));
  }
  await models.close();
});
