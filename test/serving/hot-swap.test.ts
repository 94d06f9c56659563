import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createModelLoader } from '../../serving/model-loader.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { createServedSlot, type ServedSlot } from '../../serving/served-slot.ts';
import { createTestServing, untried } from './doubles.ts';
import { temporaryFolder } from '../platform.ts';
import { exampleModel, GOLDEN_ROWS, servedModel } from './example-models.ts';

test('requests during 50 swaps of real models all succeed, each answered wholly by the version it names', async () => {
  const slots = createModelSlots<ServedSlot>((error) => expect.unreachable(String(error)));
  const examples = await Promise.all([exampleModel(-1), exampleModel(1)]);
  const expected = examples.map(({ golden }) => golden.probabilities);
  const folder = await temporaryFolder('models');
  const cache = { file: (name: string) => Promise.resolve(join(folder.path, name)) };
  for (const [index, { onnx, golden }] of examples.entries()) {
    await writeFile(join(folder.path, `onnx-${index}`), onnx);
    await writeFile(join(folder.path, `golden-${index}`), JSON.stringify(golden));
  }
  /** Odd versions answer as the first example, even ones as the second. */
  const load = async (version: number) => {
    const example = (version + 1) % 2;
    const model = servedModel(version, { onnxSha256: `onnx-${example}`, goldenRowsSha256: `golden-${example}` });
    const loaded = await createModelLoader({ cache, opening: untried })(model);
    slots.swap('churn', createServedSlot(loaded, { endpoint: 'churn', revision: version }));
  };
  await load(1);
  const { app } = createTestServing({
    slots,
    limits: { maxBodyBytes: 1_000_000, maxBatchBytes: 1_000_000, maxRows: 1000 },
  });

  const rows = Array.from({ length: 90 }, (_, index) => GOLDEN_ROWS[index % 3]!);
  const body = JSON.stringify({ rows });
  let swapping = true;
  const versions = new Set<number>();
  const client = async () => {
    while (swapping) {
      const response = await app.request('/api/v1/predict/batch', {
        method: 'POST',
        body,
        headers: { authorization: 'Bearer ada' },
      });
      expect(response.status).toBe(200);
      const { model, predictions } = (await response.json()) as {
        model: { version: number };
        predictions: { probability: number }[];
      };
      const own = expected[(model.version + 1) % 2]!;
      expect(predictions.map(({ probability }) => probability)).toEqual(rows.map((_, index) => own[index % 3]));
      versions.add(model.version);
    }
  };
  // Single rows share micro-batches, of one version each.
  const singles = async (index: number) => {
    while (swapping) {
      const init = { method: 'POST', body: JSON.stringify(rows[index]), headers: { authorization: 'Bearer ada' } };
      const response = await app.request('/predict', init);
      const answer = (await response.json()) as { model: { version: number }; probability: number };
      expect([response.status, answer.probability]).toEqual([
        200,
        expected[(answer.model.version + 1) % 2]![index % 3],
      ]);
    }
  };
  const clients = [client(), ...Array.from({ length: 4 }, (_, index) => singles(index))];
  for (let version = 2; version <= 51; version++) await load(version);
  swapping = false;
  await Promise.all(clients);
  expect(versions.size).toBeGreaterThan(10);
  await folder.remove();
});
