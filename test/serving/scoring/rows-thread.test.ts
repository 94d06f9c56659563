import { execFile } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeOnnx } from '../../../ml/onnx/write.ts';
import { openPackedSession } from '../../../serving/scoring/packed-session.ts';
import { layoutOf } from '../../../serving/scoring/row-buffers.ts';
import { createRowsThread } from '../../../serving/scoring/rows-thread.ts';
import { features, linear, sampleRows, signature, trees } from '../../ml/onnx/sample.ts';
import { temporaryFolder, type TemporaryFolder } from '../../platform.ts';
import { buffered } from './buffered.ts';

const CRASHING = new URL('crashing-thread.ts', import.meta.url);
const layout = layoutOf(features.inputs);
const onnx = writeOnnx({ model: trees(20, 1), features, signature, metadata: {} });
const other = writeOnnx({ model: linear(1), features, signature, metadata: {} });
let folder: TemporaryFolder;
let path: string;
let otherPath: string;
beforeAll(async () => {
  folder = await temporaryFolder('thread');
  [path, otherPath] = [join(folder.path, 'model'), join(folder.path, 'other')];
  await Promise.all([writeFile(path, onnx), writeFile(otherPath, other)]);
});
afterAll(() => folder.remove());

test('models on the thread answer as in this one, and the buffers stay with who gave them', async () => {
  const thread = createRowsThread();
  const rows = sampleRows(40, 1);
  const buffers = buffered(layout, rows, 10);
  for (const [file, bytes] of [
    [path, onnx],
    [otherPath, other],
  ] as const) {
    const [here, there] = [await openPackedSession(bytes, layout), await thread.open(file, layout)];
    const expected = await here.probabilities(buffers, 40);
    expect(await Promise.all([there.probabilities(buffers, 40), there.probabilities(buffers, 40)])).toEqual([
      expected,
      expected,
    ]);
    expect(await there.probabilities(buffers, 1)).toEqual(expected.slice(0, 1));
    expect(await there.probabilities(buffers, 0)).toHaveLength(0);
    await Promise.all([here.release(), there.release()]);
  }
  expect(buffers).toEqual(buffered(layout, rows, 10));
  await thread.close();
});

test('a thread that ends fails what waits, and the next call has another one that opens the models again', async () => {
  const thread = createRowsThread(CRASHING);
  const [first, second] = [await thread.open(path, layout), await thread.open(otherPath, layout)];
  const buffers = buffered(layout, sampleRows(8, 2));
  const [good, otherGood] = [await first.probabilities(buffers, 8), await second.probabilities(buffers, 8)];
  const failing = [first.probabilities(buffers, 7), second.probabilities(buffers, 8)];
  for (const failed of failing) await expect(failed).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const again = Array.from({ length: 3 }, () => [first.probabilities(buffers, 8), second.probabilities(buffers, 8)]);
  expect(await Promise.all(again.flat())).toEqual([good, otherGood, good, otherGood, good, otherGood]);
  await Promise.all([first.release(), second.release()]);
  await thread.close();
});

test('a model that cannot be opened again fails with the reason until it can', async () => {
  const thread = createRowsThread(CRASHING);
  await expect(thread.open(join(folder.path, 'none'), layout)).rejects.toThrow('ENOENT');
  const session = await thread.open(path, layout);
  const buffers = buffered(layout, sampleRows(8, 3));
  await expect(session.probabilities(buffers, 7)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await rename(path, `${path}.away`);
  await expect(session.probabilities(buffers, 8)).rejects.toThrow('ENOENT');
  await rename(`${path}.away`, path);
  expect(await session.probabilities(buffers, 8)).toHaveLength(8);
  await thread.close();
});

test('a process ends cleanly after its thread has finished what it was asked', async () => {
  const script = fileURLToPath(new URL('threaded-process.ts', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--no-warnings', script, path]);
  expect([stdout, stderr]).toEqual(['5000\n', '']);
});
