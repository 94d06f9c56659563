import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerRows, createOnnxSession } from '../../lib/onnx-session.ts';
import type { TrainedModel } from '../../ml/model.ts';
import { writeOnnx } from '../../ml/onnx/write.ts';
import { predictProbabilities } from '../../ml/predict.ts';
import { runPeer } from '../python.ts';
import { features, matrixOf, sampleRows, signature, trained, trees } from './onnx/sample.ts';

interface PeerAnswers {
  label: string[];
  probability: number[];
  decision: string[];
  metadata: Record<string, string>;
}

const ROWS = 10_000;
const rows = sampleRows(ROWS, 11);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'anneal-onnx-'));
  await writeFile(join(folder, 'rows.json'), JSON.stringify(rows));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each<[string, TrainedModel]>([
  ['300 random trees', trees(300, 12)],
  ['trees that we trained', trained('gradient_boosting', 13)],
  ['a linear model that we trained', trained('logistic_regression', 14)],
])("%s: Python's checker accepts the file, and its runtime answers 10,000 raw rows as we do", async (_, model) => {
  const bytes = writeOnnx({ model, features, signature, metadata: { run_id: 'run-1' } });
  const path = join(folder, `${model.kind}.onnx`);
  await writeFile(path, bytes);
  const python = (await runPeer('score_onnx.py', [path, join(folder, 'rows.json')])) as PeerAnswers;

  const session = await createOnnxSession(bytes);
  const served = await answerRows(session, signature, rows);
  await session.release();
  const predicted = predictProbabilities(model, matrixOf(features, rows));

  expect(farthest(python.probability, predicted)).toBeLessThan(1e-6);
  expect(
    farthest(
      served.map(({ probability }) => probability),
      predicted,
    ),
  ).toBeLessThan(1e-6);
  expect(python.label).toEqual(served.map(({ label }) => label));
  expect(python.decision).toEqual(served.map(({ decision }) => decision));
  expect(new Set(python.label)).toEqual(new Set(['yes', 'no']));
  expect(python.metadata['run_id']).toBe('run-1');
  expect(JSON.parse(python.metadata['signature']!)).toEqual(signature);
});

function farthest(actual: readonly number[], expected: Float64Array): number {
  expect(actual).toHaveLength(ROWS);
  return actual.reduce((most, value, row) => Math.max(most, Math.abs(value - expected[row]!)), 0);
}
