import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { writeOnnx } from '../../../ml/onnx/write.ts';
import { createModelLoader } from '../../../serving/model-loader.ts';
import { createModelSlots } from '../../../serving/model-slots.ts';
import { createRowsThread } from '../../../serving/scoring/rows-thread.ts';
import { createServedSlot, type ServedSlot } from '../../../serving/served-slot.ts';
import { features, sampleRows, signature, trees } from '../../ml/onnx/sample.ts';
import { servedModel } from '../example-models.ts';

// Started by swaps.server.test.ts: swaps models, and prints by how many MiB this process has grown after a warm-up.
const [folder, lane, swaps] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])];
const WARM_UP = 20;

const rows = sampleRows(64, 1);
const golden = join(folder, 'golden');
await writeFile(golden, JSON.stringify({ rows, probabilities: rows.map(() => 0) }));
for (const seed of [0, 1]) {
  const onnx = writeOnnx({ model: trees(200, seed), features, signature, metadata: {} });
  await writeFile(join(folder, `onnx-${seed}`), onnx);
}
const thread = createRowsThread();
const cost = lane === 'thread' ? 500 : 50;
const load = createModelLoader({
  cache: { file: (name) => Promise.resolve(join(folder, name)) },
  opening: {
    tryModel: () => Promise.resolve({ loadMs: 10, cost: { 1: cost, 32: 2 * cost, 256: 10 * cost } }),
    openOnThread: thread.open,
  },
});
const slots = createModelSlots<ServedSlot>((error) => {
  throw error;
});

async function swap(version: number): Promise<void> {
  const model = servedModel(version, { signature, onnxSha256: `onnx-${version % 2}`, goldenRowsSha256: 'golden' });
  const loaded = await load(model);
  if (loaded.lane !== lane) throw new Error(`the model is on the lane ${loaded.lane}`);
  const slot = createServedSlot(loaded, { endpoint: 'churn', revision: version });
  slots.swap('churn', slot);
  await slot.scorePacked(slot.pack(rows), rows.length);
  await Promise.all(rows.map((row) => slot.scoreRow(row)));
}
async function memoryMiB(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    await turn();
    globalThis.gc!();
  }
  return process.memoryUsage.rss() / 2 ** 20;
}

for (let version = 1; version <= WARM_UP; version++) await swap(version);
const before = await memoryMiB();
for (let version = 1; version <= swaps; version++) await swap(version);
console.log(JSON.stringify({ before, growth: (await memoryMiB()) - before }));
slots.remove('churn');
await thread.close();
