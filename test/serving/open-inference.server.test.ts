import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HttpServer, listenHttp } from '../../lib/http/listen.ts';
import { writeOnnx } from '../../ml/onnx/write.ts';
import { createModelSlots } from '../../serving/model-slots.ts';
import { compileRowValidator } from '../../serving/row-validator.ts';
import { openPackedSession, type PackedSession } from '../../serving/scoring/packed-session.ts';
import { layoutOf } from '../../serving/scoring/row-buffers.ts';
import type { ServedSlot } from '../../serving/served-slot.ts';
import { features, sampleRows, signature, trees } from '../ml/onnx/sample.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { runPeer } from '../python.ts';
import { createTestLog, createTestServing, exampleSlot } from './doubles.ts';
import { servedModel } from './example-models.ts';

const ROWS = 1000;
const SOME = 500;
const rows = sampleRows(ROWS, 21);
const layout = layoutOf(signature.inputs);
const log = createTestLog();
let folder: TemporaryFolder;
let session: PackedSession;
let server: HttpServer;

beforeAll(async () => {
  folder = await temporaryFolder('open-inference');
  const onnx = writeOnnx({ model: trees(50, 22), features, signature, metadata: {} });
  await writeFile(join(folder.path, 'model.onnx'), onnx);
  await writeFile(join(folder.path, 'rows.json'), JSON.stringify(rows));
  session = await openPackedSession(onnx, layout);
  const slots = createModelSlots<ServedSlot>(() => undefined);
  const model = { ...servedModel(3), signature };
  slots.swap('churn', exampleSlot('churn', 3, { model, layout, session, validate: compileRowValidator(signature) }));
  const limits = { maxBodyBytes: 2 ** 20, maxBatchBytes: 2 ** 20, maxRows: ROWS };
  const { app } = createTestServing({ slots, limits, predictionLog: log });
  server = await listenHttp({ fetch: app.fetch, host: '127.0.0.1', port: 0, variable: 'SERVING_PORT' });
});
afterAll(async () => {
  await server?.close();
  await session?.release();
  await folder?.remove();
});

interface Answer {
  probability: number[];
  label: string[];
  decision: string[];
  prediction_id: string[];
  response: object;
}
interface Asked {
  [asked: string]: unknown;
  binary: Answer;
  json: Answer;
  mixed: Answer;
  one_output: Partial<Answer>;
  refused: Record<string, [status: string, message: string]>;
}

test('tritonclient finds the model and infers: as JSON, in bytes, mixed, equal to the JSON route and to Python’s runtime', async () => {
  const [model, data] = [join(folder.path, 'model.onnx'), join(folder.path, 'rows.json')];
  const asked = (await runPeer(
    'infer_with_tritonclient.py',
    [`127.0.0.1:${server.port}`, 'churn', 'tester', data],
    'tritonclient-requirements.txt',
  )) as Asked;
  expect(asked).toMatchObject({
    live: true,
    ready: true,
    model_ready: true,
    version_ready: true,
    other_version_ready: false,
    other_model_ready: false,
    server: { name: 'anneal', extensions: ['binary_tensor_data'] },
    model: { name: 'churn', versions: ['3'], platform: 'onnx_onnxv1' },
  });
  expect(asked.refused).toEqual({
    token: ['401', 'a valid access token or API key is required'],
    model: ['404', "endpoint 'nobody' does not exist"],
    version: ['404', "endpoint 'churn' serves version 3, not 2"],
    feature: ['422', "the request is not valid: inputs[0].name 'colour' is not a feature of the model"],
    datatype: ['422', expect.stringMatching(/inputs\[0\]\.datatype of 'charges' must be FP32, FP64, INT8/)],
    value: ['422', 'the request is not valid: rows[1].charges must be a finite number'],
    config: ['404', "route '/v2/models/churn/config' does not exist"],
    classes: ['422', expect.stringContaining('outputs[0].parameters.classification is not supported')],
  });

  const python = (await runPeer('score_onnx.py', [model, data])) as Answer;
  const { binary, json, mixed } = asked;
  for (const { probability, label, decision } of [binary, json, mixed]) {
    expect(probability).toEqual(python.probability);
    expect(label).toEqual(python.label);
    expect(decision).toEqual(python.decision);
  }
  expect(new Set(binary.label)).toEqual(new Set(['yes', 'no']));
  expect(asked.one_output).toEqual({ decision: python.decision, response: binary.response });
  expect(binary.response).toEqual({ id: null, model_name: 'churn', model_version: '3' });
  expect(json.response).toEqual({ id: 'mine', model_name: 'churn', model_version: '3' });

  const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/predict/churn/batch`, {
    method: 'POST',
    headers: { authorization: 'Bearer tester' },
    body: JSON.stringify({ rows: rows.slice(0, SOME) }),
  });
  const { predictions } = (await answer.json()) as { predictions: { probability: number; decision: string }[] };
  expect(predictions.map(({ probability }) => probability)).toEqual(binary.probability.slice(0, SOME));
  expect(predictions.map(({ decision }) => decision)).toEqual(binary.decision.slice(0, SOME));

  const logged = new Map(
    log.lines.map((line) => {
      const { id, ...record } = JSON.parse(line) as { id: string; features: object; probability: number };
      return [id, record] as const;
    }),
  );
  binary.prediction_id.forEach((id, row) => {
    const { features, probability } = logged.get(id)!;
    expect(probability).toBe(binary.probability[row]);
    const sent = { ...rows[row], plan: rows[row]!['plan'] ?? '', unused: rows[row]!['unused'] ?? '' };
    expect(asFloats(features)).toEqual(asFloats(sent)); // the log says a float32 with few digits
  });
  expect(logged.size).toBe(4 * ROWS + SOME);
});

const asFloats = (row: object) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'number' ? Math.fround(value) : (value as unknown),
    ]),
  );
