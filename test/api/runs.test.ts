import { expect, onTestFinished, test } from 'vitest';
import { listenHttp } from '../../lib/http/listen.ts';
import type { JobStatus } from '../../workflows/messages.ts';
import { exampleStatus } from '../db/examples.ts';
import { createTestApp, problemOf, type TestApp } from './doubles.ts';

const SOON = { timeout: 60_000 };
const source = { kind: 'object', key: 'churn.csv', format: 'csv' };
const start = (api: TestApp, id: string) => api.post('/api/v1/train', { pipeline: 'churn', source, run_id: id });
const read = async (api: TestApp, id: string) =>
  (await (await api.app.request(`/api/v1/runs/${id}`)).json()) as JobStatus & { stale: boolean };

test('an unknown run is 404 on every route', async () => {
  const { app } = createTestApp();
  for (const path of [
    'GET runs/nobody',
    'GET runs/nobody/events',
    'POST runs/nobody/cancel',
    'GET train/status/nobody',
  ]) {
    const [method, rest] = path.split(' ');
    const response = await app.request(`/api/v1/${rest}`, { method: method! });
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({ code: 'NOT_FOUND', detail: "job 'nobody' does not exist" });
  }
});

test('the status comes from the workflow, and from the database marked stale when no worker answers', async () => {
  const api = createTestApp();
  await start(api, 'r1');
  api.engine.tell('r1', exampleStatus('r1', { progress: 50 }));
  expect(await read(api, 'r1')).toMatchObject({ progress: 50, stale: false });
  api.engine.tell('r1', null);
  await api.runs.project({ status: exampleStatus('r1', { progress: 33 }), sequence: 3 });
  expect(await read(api, 'r1')).toMatchObject({ progress: 33, stale: true });
  // It ended after Temporal had been asked: nothing comes after that.
  await api.runs.project({ status: exampleStatus('r1', { state: 'COMPLETED' }), sequence: 4 });
  expect(await read(api, 'r1')).toMatchObject({ state: 'COMPLETED', stale: false });
});

test('with Temporal away the status still comes from the database, and starting is 503 with Retry-After', async () => {
  const api = createTestApp();
  await start(api, 'r1');
  const away = Object.assign(new Error('14 UNAVAILABLE: 10.0.0.1:7233'), { code: 14 });
  api.engine.engine.describe = () => Promise.reject(away);
  api.engine.engine.start = () => Promise.reject(new Error('Failed to start', { cause: away }));
  expect(await read(api, 'r1')).toMatchObject({ state: 'PENDING', stale: true });
  const response = await start(api, 'r2');
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('2');
  expect(JSON.stringify(await response.json())).not.toContain('10.0.0.1');
});

test('a run terminated from outside shows as FAILED, also to the list', async () => {
  const api = createTestApp();
  await start(api, 'r1');
  const running = { name: 'training', state: 'RUNNING', started_at: null, finished_at: null } as const;
  api.engine.tell('r1', exampleStatus('r1', { stage: 'training', stages: [running] }));
  api.engine.close('r1', 'terminated');
  const job = await read(api, 'r1');
  expect(job).toMatchObject({ state: 'FAILED', error: { code: 'TERMINATED' }, stages: [{ state: 'FAILED' }] });
  expect(job.finished_at).toBe('2026-01-01T01:00:00.000Z');
  const list = (await (await api.app.request('/api/v1/runs')).json()) as { items: JobStatus[] };
  expect(list.items).toMatchObject([{ job_id: 'r1', state: 'FAILED' }]);
});

test('a run cancelled before any worker took it up shows as CANCELLED', async () => {
  const api = createTestApp();
  await start(api, 'r1');
  api.engine.close('r1', 'cancelled');
  expect(await read(api, 'r1')).toMatchObject({ state: 'CANCELLED', error: null, stale: false });
});

test('cancelling asks the workflow, repeats harmlessly, and is a conflict for a run that is over', async () => {
  const api = createTestApp();
  const asked: string[] = [];
  api.engine.engine.cancel = (id) => Promise.resolve(void asked.push(id));
  const cancel = (id: string) => api.app.request(`/api/v1/runs/${id}/cancel`, { method: 'POST' });
  await start(api, 'r1');
  expect((await cancel('r1')).status).toBe(202);
  expect(asked).toEqual(['r1']);
  api.engine.close('r1', 'cancelled');
  expect((await cancel('r1')).status).toBe(202);
  await start(api, 'r2');
  api.engine.tell('r2', exampleStatus('r2', { state: 'COMPLETED' }));
  api.engine.close('r2', 'completed');
  expect((await cancel('r2')).status).toBe(409);
  expect(asked).toEqual(['r1']);
});

test('events are one status at once, one per change, and an end', async () => {
  const api = createTestApp();
  await start(api, 'r1');
  api.engine.tell('r1', exampleStatus('r1', { progress: 10 }));
  const response = await api.app.request('/api/v1/runs/r1/events');
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  const events = readEvents(response);
  expect((await events.next()).value).toMatchObject({ event: 'status', data: { progress: 10 } });
  api.engine.tell('r1', exampleStatus('r1', { progress: 60 }));
  expect((await events.next()).value).toMatchObject({ event: 'status', data: { progress: 60 } });
  api.engine.tell('r1', exampleStatus('r1', { state: 'COMPLETED', progress: 100 }));
  api.engine.close('r1', 'completed');
  expect((await events.next()).value).toMatchObject({ event: 'status', data: { state: 'COMPLETED' } });
  expect((await events.next()).value).toMatchObject({ event: 'end', data: { state: 'COMPLETED' } });
  expect((await events.next()).done).toBe(true);
});

test('a quiet stream carries keep-alive comments, and reading stops when the client leaves', async () => {
  const api = createTestApp();
  await start(api, 'r1');
  api.engine.tell('r1', exampleStatus('r1'));
  const server = await listenHttp({ fetch: api.app.fetch, host: '127.0.0.1', port: 0, variable: 'API_PORT' });
  onTestFinished(() => server.close());
  const leave = new AbortController();
  const response = await fetch(`http://127.0.0.1:${server.port}/api/v1/runs/r1/events`, {
    headers: { authorization: 'Bearer ada' },
    signal: leave.signal,
  });
  expect(response.status).toBe(200); // the body of anything else ends, and the loop below would not
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes(': keep-alive')) text += (await reader.read()).value ?? '';
  expect(text.match(/event: status/g)).toHaveLength(1);
  let reads = 0;
  const query = api.engine.engine.query.bind(api.engine.engine);
  api.engine.engine.query = (id) => (reads++, query(id));
  await expect.poll(() => reads, SOON).toBeGreaterThan(0);
  leave.abort();
  await reader.read().catch(() => undefined);
  await expect.poll(() => reads - (reads = 0), { ...SOON, interval: 50 }).toBe(0);
});

test('a shutdown ends the open streams', async () => {
  const stopping = new AbortController();
  const api = createTestApp({ events: { pollMs: 5, keepAliveMs: 1000, stopping: stopping.signal } });
  await start(api, 'r1');
  const events = readEvents(await api.app.request('/api/v1/runs/r1/events'));
  await events.next();
  stopping.abort();
  expect((await events.next()).done).toBe(true);
});

async function* readEvents(response: Response) {
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      text = text.slice(end + 2);
      if (fields.event) yield { event: fields.event, data: JSON.parse(fields.data!) as unknown };
    }
  }
}
