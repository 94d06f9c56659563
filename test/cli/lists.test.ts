import { expect, test } from 'vitest';
import { deployedText, latestDeployed, listModels, modelsTable } from '../../cli/list-models.ts';
import { listPipelines, pipelinesTable } from '../../cli/list-pipelines.ts';
import { createRest } from '../../cli/rest.ts';
import { fetchWith } from '../../cli/session.ts';
import { jsonServer } from './json-server.ts';

const page = (items: unknown[], next_cursor: string | null = null) => ({ json: { items, next_cursor } });
async function apiOf(answers: Record<string, unknown>) {
  const server = await jsonServer(({ url }) => answers[url]);
  return createRest(fetchWith('a-token'), server.url);
}
const version = (model: string, number: number, more: object = {}) => ({
  model,
  version: number,
  uri: `models:/${model}/${number}`,
  algorithm: 'gradient_boosting',
  metrics: { roc_auc: 0.83456, brier: 0.142 },
  gates_passed: true,
  run_id: `train-${number}`,
  imported_by: null,
  dataset: { version: 'ds_1' },
  created_at: '2026-11-21T19:20:45.123Z',
  ...more,
});

test('all pages of the pipelines are listed', async () => {
  const pipeline = (name: string) => ({
    name,
    version: 2,
    definition: {
      target: { column: 'left' },
      features: { age: {}, plan: {} },
      candidates: [{ algorithm: 'trees' }, { algorithm: 'trees' }],
    },
    created_by: 'ada',
    created_at: '2026-11-21T19:20:45.123Z',
  });
  const api = await apiOf({
    '/api/v1/pipelines?limit=200': page([pipeline('churn')], 'next one'),
    '/api/v1/pipelines?limit=200&cursor=next%20one': page([pipeline('loans')]),
  });
  const pipelines = await listPipelines(api);
  expect(pipelines.map(({ name }) => name)).toEqual(['churn', 'loans']);
  expect(pipelinesTable(pipelines).split('\n')[2]).toBe(
    'loans     2        left    2         trees       2026-11-21 19:20  ada',
  );
});

test('models are listed by version with their aliases, also those that came as a file', async () => {
  const imported = { algorithm: null, metrics: {}, gates_passed: null, run_id: null, imported_by: 'ada' };
  const api = await apiOf({
    '/api/v1/models?limit=200': page([{ name: 'churn' }]),
    '/api/v1/models/churn': { json: { aliases: [{ alias: 'production', version: 1 }] } },
    '/api/v1/models/churn/versions?limit=200': page([version('churn', 2, imported), version('churn', 1)]),
  });
  expect(
    modelsTable(await listModels(api))
      .split('\n')
      .slice(1),
  ).toEqual([
    'churn  2        -           -                  -        -       a file of ada  2026-11-21 19:20',
    'churn  1        production  gradient_boosting  0.8346   passed  train-1        2026-11-21 19:20',
  ]);
});

const current = (name: string, number: number, activated_at: string) => ({ revision: 4, model: { name, version: number }, activated_at }); // prettier-ignore
const deployed = {
  '/api/v1/endpoints?limit=200': page([
    { name: 'churn', current: current('churn', 3, '2026-11-21T10:00:00.000Z') },
    { name: 'empty', current: null },
    { name: 'loans', current: current('loans', 7, '2026-11-21T12:00:00.000Z') },
  ]),
  '/api/v1/models/churn/versions/3': { json: version('churn', 3) },
  '/api/v1/models/loans/versions/7': { json: version('loans', 7) },
};

test('the latest model is the one that was deployed last, of all or of one name', async () => {
  const api = await apiOf(deployed);
  const latest = await latestDeployed(api);
  expect(latest).toMatchObject({ uri: 'models:/loans/7', endpoint: 'loans', revision: 4 });
  expect(deployedText(latest)).toContain('endpoint            loans, revision 4, since 2026-11-21 12:00\n');
  expect(deployedText(latest)).toContain('roc_auc             0.8346\n');
  expect(await latestDeployed(api, 'churn')).toMatchObject({ uri: 'models:/churn/3' });
});

test('where nothing is deployed, the error says so', async () => {
  await expect(latestDeployed(await apiOf(deployed), 'fraud')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const empty = await apiOf({ '/api/v1/endpoints?limit=200': page([]) });
  await expect(latestDeployed(empty)).rejects.toThrow('no model is deployed yet; train one with POST');
});

test('a refusal is told with its code, its place and what it says of each field', async () => {
  const errors = [{ path: 'limit', rule: 'max', message: 'at most 200' }];
  const api = await apiOf({ '/x': { status: 422, json: { code: 'INVALID', detail: 'not valid', errors } } });
  await expect(api.get('/x')).rejects.toMatchObject({
    code: 'INVALID',
    message: expect.stringMatching(/^http:\/\/127.0.0.1:\d+\/x answered 422: not valid; limit: at most 200$/) as string,
    details: errors,
  });
  const nowhere = createRest(fetchWith('a-token'), 'http://127.0.0.1:1').get('/x');
  await expect(nowhere).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('ANNEAL_URL') as string }); // prettier-ignore
});
