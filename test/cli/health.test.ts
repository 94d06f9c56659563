import { expect, test } from 'vitest';
import { healthOfServices, healthTable } from '../../cli/health.ts';
import { loadConfig } from '../../lib/config.ts';
import { jsonServer } from './json-server.ts';

const ready = { json: { status: 'ready', failing: [] } };

test('every process of this machine is asked at its port, and what stands behind the api is as the api sees it', async () => {
  const worker = await jsonServer(({ url }) => (url === '/readyz' ? ready : undefined));
  const api = await jsonServer(({ url }) =>
    url === '/readyz' ? { status: 503, json: { status: 'not_ready', failing: ['temporal'] } } : undefined,
  );
  const serving = await jsonServer(({ url }) =>
    url === '/readyz'
      ? { status: 503, json: { status: 'not_ready', reason: 'no endpoint has a model yet' } }
      : undefined,
  );
  const config = loadConfig({
    API_PORT: String(api.port),
    SERVING_PORT: String(serving.port),
    WORKER_PIPELINE_METRICS_PORT: String(worker.port),
    WORKER_TRAINING_METRICS_PORT: '1',
    WORKER_MONITORING_METRICS_PORT: String(worker.port),
  });
  const services = await healthOfServices(config);
  expect(services).toEqual([
    { service: 'api', state: 'not ready', detail: 'cannot reach temporal' },
    { service: 'serving', state: 'not ready', detail: 'no endpoint has a model yet' },
    { service: 'worker-pipeline', state: 'ready', detail: null },
    { service: 'worker-training', state: 'down', detail: 'nothing answers at http://127.0.0.1:1' },
    { service: 'worker-monitoring', state: 'ready', detail: null },
    { service: 'postgres', state: 'ready', detail: null },
    { service: 'temporal', state: 'down', detail: 'the api cannot reach it' },
    { service: 'artifacts', state: 'ready', detail: null },
  ]);
  expect(healthTable(services)).toMatch(/^SERVICE {12}STATE {6}WHY\napi {16}not ready {2}cannot reach temporal\n/);
});

test('behind ANNEAL_URL the gateway and what it lets through are asked, and its own refusals are told', async () => {
  const gateway = await jsonServer(
    ({ url }) =>
      ({
        '/healthz': { json: { status: 'ok' } },
        '/health': { json: { status: 'ok' } },
        '/api/v1/train/health': { status: 502, json: { code: 'UNAVAILABLE', detail: 'this cannot be reached now' } },
      })[url],
  );
  const services = await healthOfServices(loadConfig({ ANNEAL_URL: `${gateway.url}/` }));
  expect(services).toEqual([
    { service: 'gateway', state: 'ready', detail: null },
    { service: 'api', state: 'not ready', detail: 'this cannot be reached now' },
    { service: 'serving', state: 'ready', detail: null },
  ]);
});
