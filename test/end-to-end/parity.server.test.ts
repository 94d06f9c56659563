import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { READY_PIPELINES, type ReadyPipelineName } from '../../pipelines/ready.ts';
import { runPeer } from '../python.ts';
import { startTestPlatform, type TestPlatform } from './platform.ts';

const ROWS = 10_000;
const CANDIDATES = {
  logistic_regression: [{ algorithm: 'logistic_regression' }],
  gradient_boosting: [{ algorithm: 'gradient_boosting', trees: [100], max_leaves: [15] }],
};

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

interface PeerAnswers {
  readonly label: string[];
  readonly probability: number[];
  readonly decision: string[];
}
interface Prediction {
  readonly label: string;
  readonly probability: number;
  readonly decision: string;
}

async function deploy(name: ReadyPipelineName, candidates: object[]): Promise<number> {
  const dataset_version = await platform.uploadSample(name, 6000);
  const overrides = { candidates, evaluation: { gates: [], max_regression: 1 } };
  const run = await platform.finished(await platform.train({ pipeline: name, dataset_version, overrides }));
  expect(run.error?.message ?? run.state).toBe('COMPLETED');
  return run.model!.version;
}

async function served(endpoint: string, rows: readonly object[]) {
  const response = await platform.send(`${platform.urls.serving}/api/v1/predict/${endpoint}/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rows }),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { model: { version: number }; predictions: Prediction[] };
}

/** The deployed file in Python's onnxruntime, after onnx.checker accepted it. */
async function scoredInPython(name: string, version: number, rows: readonly object[]): Promise<PeerAnswers> {
  const file = await platform.send(`${platform.urls.api}/api/v1/models/${name}/versions/${version}/model.onnx`);
  expect(file.status).toBe(200);
  const path = join(platform.home, `${name}-${version}`);
  await writeFile(`${path}.onnx`, Buffer.from(await file.arrayBuffer()));
  await writeFile(`${path}.json`, JSON.stringify(rows));
  return (await runPeer('score_onnx.py', [`${path}.onnx`, `${path}.json`])) as PeerAnswers;
}

test.each([
  ['churn', 'logistic_regression'],
  ['churn', 'gradient_boosting'],
  ['credit-default', 'logistic_regression'],
  ['credit-default', 'gradient_boosting'],
] as const)('%s by %s: Python answers 10,000 raw rows with the deployed file as the endpoint does', async (name, algorithm) => {
  const version = await deploy(name, CANDIDATES[algorithm]);
  const { definition, rows: generate } = READY_PIPELINES[name];
  const rows = [...generate(ROWS, 21)].map(({ [definition.target.column]: _, ...features }) => features);
  // A category that training has not seen is scored like a missing one.
  const unseen = rows.map((row, index) => ('loan_purpose' in row && index % 50 === 0 ? { ...row, loan_purpose: 'yacht' } : row));
  expect(rows.filter((row) => Object.values(row).includes(null)).length).toBeGreaterThan(ROWS / 100);

  const [python, { model, predictions }] = await Promise.all([scoredInPython(name, version, unseen), served(name, unseen)]);
  expect(model.version).toBe(version);
  expect(predictions).toHaveLength(ROWS);
  const farthest = predictions.reduce((most, { probability }, row) => Math.max(most, Math.abs(probability - python.probability[row]!)), 0);
  expect(farthest).toBeLessThanOrEqual(1e-6);
  expect(predictions.map(({ decision }) => decision)).toEqual(python.decision);
  expect(predictions.map(({ label }) => label)).toEqual(python.label);
  expect(new Set(python.decision).size).toBe(2);
}); // prettier-ignore
