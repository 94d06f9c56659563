import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFolderStore } from '../../../lib/artifact-store/folder.ts';
import type { ArtifactStore } from '../../../lib/artifact-store.ts';
import { createOnnxSession, scoreRows } from '../../../lib/onnx-session.ts';
import { createThreadPool } from '../../../lib/thread-pool.ts';
import type { Explainable } from '../../../ml/explain/explain.ts';
import type { TrainedModel } from '../../../ml/model.ts';
import { writeOnnx } from '../../../ml/onnx/write.ts';
import { createExplainer } from '../../../serving/explain/explainer.ts';
import { createModelCache } from '../../../serving/model-cache.ts';
import { features, linear, sampleRows, signature, trained, trees } from '../../ml/onnx/sample.ts';
import { temporaryFolder, type TemporaryFolder } from '../../platform.ts';

const rows = sampleRows(100, 21);
let home: TemporaryFolder;
let store: ArtifactStore;
beforeAll(async () => {
  home = await temporaryFolder('explain');
  store = createFolderStore(join(home.path, 'artifacts'));
});
afterAll(() => home.remove());

/** As a serving process has it. */
const openExplainer = () => {
  const entry = new URL('../../../serving/explain/thread.ts', import.meta.url);
  const folder = join(home.path, 'cache');
  const openThread = () => createThreadPool(entry, 1, { folder });
  return createExplainer({ openThread, fetch: createModelCache(folder, store).file });
};
async function stored(model: TrainedModel): Promise<string> {
  const explainable: Explainable = { model, features };
  return (await store.put(Buffer.from(JSON.stringify(explainable)))).sha256;
}
async function probabilitiesOf(model: TrainedModel): Promise<Float32Array> {
  const session = await createOnnxSession(writeOnnx({ model, features, signature, metadata: {} }));
  const probabilities = await scoreRows(session, session, rows);
  await session.release();
  return probabilities;
}

test.each<[string, TrainedModel]>([
  ['trees that we trained', trained('gradient_boosting', 22)],
  ['a linear model that we trained', trained('logistic_regression', 23)],
  ['300 random trees', trees(300, 24)],
  ['a linear model with indicators', linear(25)],
])('%s: base value and contributions are the log-odds of what the ONNX file answers', async (_, model) => {
  const explainer = openExplainer();
  const explanations = await explainer.explain({ explainer: await stored(model), rows });
  await explainer.close();
  const probabilities = await probabilitiesOf(model);
  let compared = 0;
  for (const [row, { base_value, contributions }] of explanations.entries()) {
    const logOdds = Object.values(contributions).reduce((a, b) => a + b, base_value);
    const probability = probabilities[row]!;
    expect(Math.abs(1 / (1 + Math.exp(-logOdds)) - probability)).toBeLessThan(1e-6);
    // Beyond, a step of float32 moves the log-odds by more.
    if (probability < 0.02 || probability > 0.98) continue;
    expect(Math.abs(logOdds - Math.log(probability / (1 - probability)))).toBeLessThan(1e-5);
    compared++;
  }
  expect(compared).toBeGreaterThan(50);
});

/** Of this thread: a busy machine does not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

test('the event loop turns while a large ensemble is read and its rows are explained', async () => {
  const explainer = openExplainer();
  const task = { explainer: await stored(trees(1500, 26)), rows };
  await explainer.explain({ explainer: await stored(linear(27)), rows }); // the thread has started
  const started = cpuMs();
  let [longest, last, done] = [0, started, false];
  const work = explainer.explain(task).finally(() => (done = true));
  while (!done) {
    await nextTurn();
    const now = cpuMs();
    [longest, last] = [Math.max(longest, now - last), now];
  }
  await work;
  await explainer.close();
  expect(longest).toBeLessThan((last - started) / 3);
});

test('what was fetched once needs no store; what nobody has is UNAVAILABLE', async () => {
  const explainer = await stored(linear(28));
  const first = openExplainer();
  const explanations = await first.explain({ explainer, rows });
  await first.close();
  await rm(join(home.path, 'artifacts'), { recursive: true });
  const second = openExplainer();
  expect(await second.explain({ explainer, rows })).toEqual(explanations);
  await expect(second.explain({ explainer: 'f'.repeat(64), rows })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await second.close();
});
