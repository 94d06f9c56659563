import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { ReceivedLabels } from '../../db/labels.ts';
import { quoteText, withDuckDb } from '../../lib/duckdb.ts';
import { notFound, PlatformError } from '../../lib/errors.ts';
import { predictionId } from '../../serving/prediction-id.ts';
import { principalOf } from '../auth/principals.ts';
import { createTestApp, problemOf } from './doubles.ts';

const id = predictionId(Date.parse('2025-12-31T12:00:00Z'));
const now = new Date('2026-01-01T00:00:00Z');

function createLabels(changes: Parameters<typeof createTestApp>[0] = {}) {
  const received: ReceivedLabels[] = [];
  const receive = vi.fn((sent: ReceivedLabels) => {
    received.push(sent);
    return Promise.resolve({ matched: sent.reports.length, pending: 0, corrected: 0, unchanged: 0 });
  });
  const get = () => Promise.reject(notFound('label of prediction', id));
  const test = createTestApp({ labels: { receive, get }, maxBatchBytes: 2_000_000, ...changes });
  const send = async (body: string, contentType: string, query = '') =>
    await test.app.request(`/api/v1/labels${query}`, {
      method: 'POST',
      headers: { 'content-type': contentType },
      body,
    });
  const post = (body: unknown) => test.post('/api/v1/labels', body);
  const reports = () => received.flatMap((sent) => sent.reports);
  return { ...test, received, reports, receive, send, post };
}

test('one label is taken by prediction, or by entity and time', async () => {
  const { post, received, audit } = createLabels();
  const response = await post({ prediction_id: id, label: true, observed_at: '2026-01-01T00:00:00+01:00' });
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ matched: 1, pending: 0, corrected: 0, unchanged: 0 });
  await post({ endpoint: 'churn', entity: 42, at: '2025-12-01T00:00:00Z', label: 1 });
  await post({ endpoint: 'churn', entity: 'c-1', label: 'yes' });
  expect(received.map(({ reports }) => reports)).toEqual([
    [{ path: '', prediction: { predictionId: id }, label: 'true', observedAt: new Date('2025-12-31T23:00:00Z') }],
    [{ path: '', prediction: { endpoint: 'churn', entity: '42', at: new Date('2025-12-01T00:00:00Z') }, label: '1', observedAt: null }], // prettier-ignore
    [{ path: '', prediction: { endpoint: 'churn', entity: 'c-1', at: null }, label: 'yes', observedAt: null }],
  ]);
  expect(received[0]).toMatchObject({ receivedAt: now, reportedBy: 'tester', endpoints: null });
  expect(audit.rows[0]).toMatchObject({ detail: { matched: 1 } });
});

test('a batch has up to 10,000 labels, and each bad field is named by its place', async () => {
  const { post, reports, receive } = createLabels();
  const labels = Array.from({ length: 10_000 }, () => ({ prediction_id: id, label: 'yes' }));
  expect((await post({ labels })).status).toBe(200);
  expect(reports()).toHaveLength(10_000);
  expect(reports().at(-1)).toMatchObject({ path: 'labels.9999' });
  expect((await post({ labels: [...labels, labels[0]] })).status).toBe(422);
  const wrong = await post({
    labels: [
      { prediction_id: 'abc', label: 'yes' },
      { prediction_id: id, label: 'yes', observed: '2026' },
      { endpoint: 'churn', entity: 'c-1' },
      { prediction_id: id, label: 'yes', observed_at: '2026-01-01T00:05:01Z' },
      { prediction_id: id, label: 'y\0' },
      { prediction_id: id, label: 'yes' },
    ],
  });
  expect(wrong.status).toBe(422);
  expect((await problemOf(wrong)).errors).toMatchObject([
    { path: 'labels.0.prediction_id' },
    { path: 'labels.1.observed', rule: 'unrecognized_keys' },
    { path: 'labels.2.label' },
    { path: 'labels.3.observed_at', rule: 'not_future' },
    { path: 'labels.4.label' },
  ]);
  expect(receive).toHaveBeenCalledOnce();
});

test.each([
  ['nothing', '', 400],
  ['no JSON', '{', 400],
  ['no object', '3', 422],
  ['null', 'null', 422],
  ['no label at all', '{}', 422],
  ['an empty batch', '{"labels":[]}', 422],
  ['a batch that is none', '{"labels":{}}', 422],
  ['null in a batch', '{"labels":[null]}', 422],
  ['half a character', '{"prediction_id":"%","label":"\\ud800"}'.replace('%', id), 422],
  ['both ways at once', JSON.stringify({ prediction_id: id, endpoint: 'churn', entity: 'c', label: 'yes' }), 422],
])('a body with %s is refused', async (_, body, status) => {
  const { post, receive } = createLabels();
  const response = await post(body);
  expect(response.status).toBe(status);
  expect(receive).not.toHaveBeenCalled();
});

test('a body is JSON or a table, not compressed, and not too large', async () => {
  const { send, app, receive } = createLabels({ maxBatchBytes: 1000, maxUploadBytes: 1000 });
  expect((await send('label=yes', 'application/x-www-form-urlencoded')).status).toBe(415);
  expect((await app.request('/api/v1/labels', { method: 'POST' })).status).toBe(415);
  const packed = { method: 'POST', headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body: 'x' }; // prettier-ignore
  expect((await app.request('/api/v1/labels', packed)).status).toBe(415);
  expect((await send(`{"label":"${'x'.repeat(1000)}"}`, 'application/json')).status).toBe(413);
  expect((await send(`label\n${'x'.repeat(1000)}`, 'text/csv')).status).toBe(413);
  expect(receive).not.toHaveBeenCalled();
});

test('a CSV file is read by its columns, with times as other programs write them', async () => {
  const { send, reports, leftovers } = createLabels();
  const rows = [
    'prediction_id,label,observed_at,note',
    `${id.toUpperCase()},True,2025-12-31 08:00:00.5,late`,
    `${id},0,2025-12-31,`,
    `${id},0,2025-12-31T08:00:00+02,`,
    `${id},0,,`,
  ];
  const response = await send(rows.join('\n'), 'text/csv');
  expect(await response.json()).toEqual({ matched: 4, pending: 0, corrected: 0, unchanged: 0 });
  expect(reports()).toEqual([
    {
      path: 'row 1',
      prediction: { predictionId: id },
      label: 'True',
      observedAt: new Date('2025-12-31T08:00:00.500Z'),
    },
    { path: 'row 2', prediction: { predictionId: id }, label: '0', observedAt: new Date('2025-12-31T00:00:00Z') },
    { path: 'row 3', prediction: { predictionId: id }, label: '0', observedAt: new Date('2025-12-31T06:00:00Z') },
    { path: 'row 4', prediction: { predictionId: id }, label: '0', observedAt: null },
  ]);
  expect(await leftovers()).toEqual([]);
});

test.each([1.5, 2 ** 53])('an entity is no number like %d, which no prediction can have', async (entity) => {
  const { post, receive } = createLabels();
  const response = await post({ endpoint: 'churn', entity, label: 'yes' });
  expect(response.status).toBe(422);
  expect((await problemOf(response)).errors).toMatchObject([{ path: 'entity' }]);
  expect(receive).not.toHaveBeenCalled();
});

test('a line of a file ends at a line feed alone', async () => {
  const { send, reports } = createLabels();
  const entity = 'c\u2028\u2029\u0085 1';
  const response = await send(JSON.stringify({ endpoint: 'churn', entity, label: 1 }), 'application/x-ndjson');
  expect(response.status).toBe(200);
  expect(reports()).toMatchObject([{ prediction: { entity }, label: '1' }]);
});

test('rows of NDJSON may name entities, of an endpoint that the query names for all', async () => {
  const { send, reports } = createLabels();
  const rows = [
    { entity: 'c-1', at: '2025-12-01T00:00:00Z', label: true },
    { entity: 7, endpoint: 'loans', label: 1 },
  ];
  await send(rows.map((row) => JSON.stringify(row)).join('\n'), 'application/x-ndjson', '?endpoint=churn');
  expect(reports()).toMatchObject([
    { prediction: { endpoint: 'churn', entity: 'c-1', at: new Date('2025-12-01T00:00:00Z') }, label: 'true' },
    { prediction: { endpoint: 'loans', entity: '7', at: null }, label: '1' },
  ]);
});

test('columns of Parquet may have types of their own', async () => {
  const { app, reports, folder } = createLabels();
  const path = join(folder, 'labels.parquet');
  const row = `SELECT '${id}'::UUID AS prediction_id, true AS label, TIMESTAMP '2025-12-31 08:00:00.25' AS observed_at, [1] AS other`;
  await withDuckDb({ memoryLimit: '64MB', tempDir: folder }, (db) =>
    db.run(`COPY (${row} UNION ALL SELECT '${id}'::UUID, false, NULL, NULL) TO ${quoteText(path)} (FORMAT parquet)`),
  );
  const response = await app.request('/api/v1/labels', {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.apache.parquet' },
    body: await readFile(path),
  });
  expect(response.status).toBe(200);
  expect(reports()).toMatchObject([
    { prediction: { predictionId: id }, label: 'true', observedAt: new Date('2025-12-31T08:00:00.250Z') },
    { prediction: { predictionId: id }, label: 'false', observedAt: null },
  ]);
});

test('a file that lacks a column, or cannot be read, or has a bad row is refused by its place', async () => {
  const { send, receive, leftovers } = createLabels();
  const errorsOf = async (body: string, contentType = 'text/csv') => {
    const response = await send(body, contentType);
    expect(response.status).toBe(422);
    return (await problemOf(response)).errors;
  };
  expect(await errorsOf(`prediction_id\n${id}`)).toMatchObject([{ path: 'label', rule: 'missing_column' }]);
  expect(await errorsOf('label\nyes')).toMatchObject([{ path: 'prediction_id', rule: 'missing_column' }]);
  expect(await errorsOf('{"label":', 'application/x-ndjson')).toMatchObject([{ path: 'row 1', rule: 'ndjson' }]);
  expect(await errorsOf('PAR', 'application/vnd.apache.parquet')).toMatchObject([{ path: 'body', rule: 'parquet' }]);
  const rows = `prediction_id,label,observed_at\n${id},yes,\n${id},,yesterday\n`;
  expect(await errorsOf(rows)).toMatchObject([{ path: 'row 2.label' }, { path: 'row 2.observed_at' }]);
  expect(receive).not.toHaveBeenCalled();
  expect(await leftovers()).toEqual([]);
});

test('the rows before a wrong one stay, and the answer says how many', async () => {
  const { send, receive } = createLabels({ maxUploadBytes: 2_000_000 });
  const details = [{ path: 'row 10001.label', rule: 'class', message: 'must be one of the classes' }];
  receive.mockResolvedValueOnce({ matched: 10_000, pending: 0, corrected: 0, unchanged: 0 });
  receive.mockRejectedValueOnce(new PlatformError('INVALID', '1 label is not valid', { details }));
  const response = await send(`prediction_id,label\n${`${id},yes\n`.repeat(10_001)}`, 'text/csv');
  expect(response.status).toBe(422);
  const problem = await problemOf(response);
  expect(problem.detail).toBe('1 label is not valid; the first 10000 rows of the file were taken');
  expect(problem.errors).toEqual(details);
});

test('an API key for some endpoints labels only those', async () => {
  const key = { id: '1', name: 'ci', endpoints: ['churn'] };
  const { post, received } = createLabels({
    authenticate: () => Promise.resolve(principalOf({ role: 'admin', apiKey: key })),
  });
  expect((await post({ endpoint: 'loans', entity: 'c-1', label: 'yes' })).status).toBe(403);
  expect((await post({ endpoint: 'churn', entity: 'c-1', label: 'yes' })).status).toBe(200);
  expect((await post({ prediction_id: id, label: 'yes' })).status).toBe(200);
  expect(received.map(({ endpoints }) => endpoints)).toEqual([['churn'], ['churn']]);
});

test('a label is read with what it was before', async () => {
  const at = (day: number) => new Date(Date.UTC(2026, 0, day));
  const row = { label: 'yes', observedAt: at(3), receivedAt: at(4), reportedBy: 'ada' };
  const prediction = { predictionId: id, predictedAt: at(1), endpoint: 'churn', model: 'churn', version: 2 };
  const label = { ...prediction, position: 1, probability: 0.5, counted: true, ...row };
  const before = { id: 1, predictionId: id, label: 'no', observedAt: at(2), receivedAt: at(2), reportedBy: 'bob', replacedAt: at(4) }; // prettier-ignore
  const { app } = createLabels({
    labels: { receive: vi.fn(), get: () => Promise.resolve({ label, corrections: [before] }) },
  });
  const response = await app.request(`/api/v1/labels/${id}`);
  expect(await response.json()).toEqual({
    ...{ prediction_id: id, predicted_at: '2026-01-01T00:00:00.000Z', endpoint: 'churn' },
    model: { name: 'churn', version: 2 },
    ...{
      label: 'yes',
      observed_at: '2026-01-03T00:00:00.000Z',
      received_at: '2026-01-04T00:00:00.000Z',
      reported_by: 'ada',
    },
    corrections: [
      {
        ...{ label: 'no', observed_at: '2026-01-02T00:00:00.000Z', received_at: '2026-01-02T00:00:00.000Z' },
        ...{ reported_by: 'bob', replaced_at: '2026-01-04T00:00:00.000Z' },
      },
    ],
  });
  expect((await createLabels().app.request(`/api/v1/labels/${id}`)).status).toBe(404);
  expect((await createLabels().app.request('/api/v1/labels/abc')).status).toBe(422);
});
