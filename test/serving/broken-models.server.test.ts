import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServedModel, WatchedRevision } from '../../db/endpoints.ts';
import { artifactKey, type ArtifactStore } from '../../lib/artifact-store.ts';
import { createEndpointReconciler } from '../../serving/endpoint-reconciler.ts';
import { createModelCache } from '../../serving/model-cache.ts';
import { createModelLoader } from '../../serving/model-loader.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { createModelOpening } from '../../serving/scoring/model-opening.ts';
import type { ServedSlot } from '../../serving/served-slot.ts';
import { temporaryFolder, temporaryStore, type TemporaryFolder } from '../platform.ts';
import { exampleModel, GOLDEN_ROWS, servedModel, type ExampleModel } from './example-models.ts';

const script = new URL('scoring/strange-trial.ts', import.meta.url);
let store: ArtifactStore;
let folders: TemporaryFolder[];
beforeAll(async () => {
  const made = await temporaryStore();
  store = made.store;
  folders = [made.folder, await temporaryFolder('cache')];
});
afterAll(() => Promise.all(folders.map((folder) => folder.remove())));

const signed = ({ onnx, golden, signature }: ExampleModel, inputs: ExampleModel['signature']['inputs']) => {
  return { onnx, golden, signature: { ...signature, inputs } };
};
const text = (good: ExampleModel, what: string, index: number) => ({ ...good, onnx: Buffer.from(`${what} ${index}`) });
const off = (probabilities: readonly number[], index: number) =>
  probabilities.map((probability, row) => probability + (row === index % 3 ? 1e-4 : 0));

type Break = (good: ExampleModel, index: number) => ExampleModel | Promise<ExampleModel>;
const KINDS: readonly (readonly [breaks: Break, reason: RegExp])[] = [
  [
    (good, index) => ({ ...good, onnx: good.onnx.slice(0, ((index + 1) * good.onnx.length) / 12) }),
    /^the model file (does not load|lacks input)/,
  ],
  [(good, index) => text(good, 'no model', index), /^the model file does not load/],
  [
    (good) => signed(good, [...good.signature.inputs, { name: 'more', type: 'numeric', nullable: true }]),
    /^the model file lacks input more of its signature/,
  ],
  [
    (good) => signed(good, good.signature.inputs.slice(1)),
    /^the model file takes input age, which its signature lacks/,
  ],
  [async ({ golden }) => ({ ...(await exampleModel(NaN)), golden }), /^golden row 0: the model answers NaN/],
  [
    ({ golden, ...good }, index) => ({
      ...good,
      golden: { ...golden, probabilities: off(golden.probabilities, index) },
    }),
    /^golden row [012]: the model answers 0\.\d+, not 0\.\d+/,
  ],
  [(good) => ({ ...good, golden: { rows: [], probabilities: [] } }), /^the model has no golden rows/],
  [(good, index) => text(good, 'damaged', index), /^artifact \w+ is damaged/],
  [(good, index) => text(good, 'takes for ever', index), /^trying the model took longer than 0\.7 s/],
  [(good, index) => text(good, 'crashes', index), /^trying the model ended with SIGSEGV/],
  [(good, index) => text(good, 'fills the memory', index), /^trying the model needed more than 512 MiB of memory/],
];

async function stored({ onnx, golden, signature }: ExampleModel, version: number): Promise<ServedModel> {
  const { sha256: onnxSha256 } = await store.put(onnx);
  const { sha256: goldenRowsSha256 } = await store.put(Buffer.from(JSON.stringify(golden)));
  if (Buffer.from(onnx).toString('latin1').startsWith('damaged')) {
    await writeFile(join(folders[0]!.path, artifactKey(onnxSha256)), 'something else');
  }
  return servedModel(version, { onnxSha256, goldenRowsSha256, signature });
}

test('ten models of each broken kind are refused with the reason, while the good one answers every prediction', async () => {
  const slots = createModelSlots<ServedSlot>((error) => expect.unreachable(String(error)));
  const cache = createModelCache(folders[1]!.path, store);
  const opening = createModelOpening({ timeoutMs: 60_000, script });
  const impatient = createModelOpening({ timeoutMs: 700, script });
  const [load, loadSoon] = [opening, impatient].map((how) =>
    createModelLoader({ cache, opening: how, retryDelayMs: 1 }),
  ) as [ReturnType<typeof createModelLoader>, ReturnType<typeof createModelLoader>];
  const slow = new Set<string>();
  const reports: string[] = [];
  const reconciler = createEndpointReconciler({
    slots,
    load: (model) => (slow.has(model.onnxSha256) ? loadSoon : load)(model),
    onReleaseError: (error) => expect.unreachable(String(error)),
    report: (_, revision, state, detail) => void reports.push(`${revision} ${state}: ${detail}`),
  });
  const revision = (number: number, model: ServedModel): WatchedRevision => {
    return { revision: number, runId: 'run-1', traceparent: null, model };
  };
  const good = await exampleModel();
  const current = revision(1, await stored(good, 1));
  reconciler.update([{ name: 'churn', current, next: null }]);
  await reconciler.settled();
  expect(reports.splice(0)).toEqual(['1 loading: null', '1 serving: null']);

  let answered = 0;
  let isOver = false;
  const client = async () => {
    while (!isOver) {
      const row = answered++ % GOLDEN_ROWS.length;
      const probability = await slots.use('churn', (slot) => slot.scoreRow(GOLDEN_ROWS[row]));
      expect(probability).toBe(good.golden.probabilities[row]);
      await delay(2);
    }
  };
  const clients = [client(), client()];
  let next = 1;
  for (const [breaks, reason] of KINDS) {
    for (let index = 0; index < 10; index++) {
      const model = await stored(await breaks(good, index), ++next);
      if (reason.source.includes('took longer')) slow.add(model.onnxSha256);
      reconciler.update([{ name: 'churn', current, next: revision(next, model) }]);
      await reconciler.settled();
      const [loading, failed, ...more] = reports.splice(0);
      expect([loading, more]).toEqual([`${next} loading: null`, []]);
      expect(failed).toMatch(new RegExp(`^${next} failed: `));
      expect(failed!.slice(`${next} failed: `.length)).toMatch(reason);
    }
  }
  isOver = true;
  await Promise.all(clients);
  expect(answered).toBeGreaterThan(1_000);
  expect(slots.get('churn')).toMatchObject({ revision: 1, lane: 'inline' });
});

test('what is tried when a process stops is given up', async () => {
  const opening = createModelOpening({ timeoutMs: 60_000, script });
  const model = await stored(text(await exampleModel(), 'takes for ever', 77), 1);
  const loading = createModelLoader({ cache: createModelCache(folders[1]!.path, store), opening })(model);
  setTimeout(opening.stopTrials, 300);
  await expect(loading).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'this process is stopping' });
});
