import { expect, test } from 'vitest';
import { canonicalJson } from '../../api/canonical-json.ts';
import { saveReadyPipelines } from '../../api/pipeline-saves.ts';
import type { PipelineVersion } from '../../db/schema/pipelines.ts';
import { exampleDefinition } from '../db/examples.ts';
import { createTestApp, problemOf, type TestApp } from './doubles.ts';

const put = (api: TestApp, name: string, body: unknown) =>
  api.app.request(`/api/v1/pipelines/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: 'Bearer ada' },
    body: JSON.stringify(body),
  });
const minimal = {
  name: 'new',
  target: { column: 'churned' },
  features: { age: { type: 'numeric' } },
  candidates: [{ algorithm: 'logistic_regression' }],
};
const source = { kind: 'sql', connection: 'warehouse', query: 'select 1' };

test('a new definition makes version 1 with who and the stored canonical JSON; the same again makes none', async () => {
  const api = createTestApp();
  const created = await put(api, 'new', minimal);
  expect(created.status).toBe(201);
  const body = (await created.json()) as { definition: unknown; definition_sha256: string };
  expect(body).toMatchObject({ name: 'new', version: 1, created_by: 'ada', definition: { split: { train: 0.7 } } });
  const stored = Buffer.from(await api.store.get(body.definition_sha256)).toString();
  expect(stored).toBe(canonicalJson(body.definition));
  const again = await put(api, 'new', { ...minimal, description: '' });
  expect(again.status).toBe(200);
  expect(await again.json()).toMatchObject({ version: 1 });
  expect(await (await put(api, 'new', { ...minimal, description: 'changed' })).json()).toMatchObject({ version: 2 });
});

test.each([
  ['another name than the path', 'other', minimal, 'name'],
  ['an unknown field', 'new', { ...minimal, colour: 'red' }, 'colour'],
  ['an unknown field deep inside', 'new', { ...minimal, split: { train: 0.7, colour: 1 } }, 'split.colour'],
  ['a derived feature of an unknown column', 'new', { ...minimal, derived: { x: 'nobody + 1' } }, 'derived.x'],
  ['an unknown connection', 'new', { ...minimal, source: { ...source, connection: 'nobody' } }, 'source.connection'],
  ['a schedule without a source', 'new', { ...minimal, schedule: { cron: '0 3 * * *' } }, 'source'],
  ['a minute that does not exist', 'new', { ...minimal, source, schedule: { cron: '61 3 * * *' } }, 'schedule.cron'],
  [
    'an unknown time zone',
    'new',
    { ...minimal, source, schedule: { cron: '0 3 * * *', timezone: 'Mars/One' } },
    'schedule.timezone',
  ],
])('%s is 422 naming the field, and nothing is saved', async (_, name, body, path) => {
  const api = createTestApp();
  const response = await put(api, name, body);
  expect(response.status).toBe(422);
  expect((await problemOf(response)).errors.map((error) => error.path)).toContain(path);
  expect(api.pipelines.saved.has(name)).toBe(false);
  expect(api.synced).toEqual([]);
});

test.each(['*/15 8-18 * * mon-fri', '0 0 1 jan,jul *', '30 2 * * 7', '5/10 * * * *'])(
  'the cron %s is accepted',
  async (cron) => {
    const api = createTestApp();
    expect((await put(api, 'new', { ...minimal, source, schedule: { cron } })).status).toBe(201);
    expect(api.synced.at(-1)!.definition.schedule).toEqual({ cron, timezone: 'UTC', catchup_window_seconds: 3600 });
  },
);

test('the schedule follows the latest version when another save comes between', async () => {
  const api = createTestApp();
  const versions: number[] = [];
  let raced = false;
  Object.assign(api.deps.schedules, {
    sync: async (version: PipelineVersion) => {
      versions.push(version.version);
      if (raced) return;
      raced = true;
      const definition = { ...exampleDefinition('new'), description: 'raced' };
      await api.pipelines.saveVersion({ definition, definitionSha256: 'raced', createdBy: 'bob' });
    },
  });
  expect(await (await put(api, 'new', minimal)).json()).toMatchObject({ version: 1, created_by: 'ada' });
  expect(versions).toEqual([1, 2]);
});

test('a pipeline is read at its latest or a named version, and an unknown one is 404', async () => {
  const api = createTestApp();
  await put(api, 'new', minimal);
  await put(api, 'new', { ...minimal, description: 'changed' });
  const get = async (path: string) => await api.app.request(`/api/v1/pipelines${path}`);
  expect(await (await get('/new')).json()).toMatchObject({ version: 2 });
  expect(await (await get('/new?version=1')).json()).toMatchObject({ version: 1 });
  expect(await (await get('/new/versions')).json()).toMatchObject({ items: [{ version: 2 }, { version: 1 }] });
  expect(await (await get('')).json()).toMatchObject({
    items: [{ name: 'churn' }, { name: 'new' }],
    next_cursor: null,
  });
  expect((await get('/nobody')).status).toBe(404);
  expect((await get('/nobody/versions')).status).toBe(404);
  expect((await get('/new?version=9')).status).toBe(404);
});

test('the ready pipelines are saved by anneal when absent, and left alone when there', async () => {
  const api = createTestApp();
  const ready = [exampleDefinition('churn', 'ours'), exampleDefinition('battle')];
  expect(await saveReadyPipelines(api.deps, ready)).toEqual(['battle']);
  expect(api.pipelines.saved.get('battle')).toMatchObject([{ createdBy: 'anneal' }]);
  expect(api.pipelines.saved.get('churn')).toMatchObject([{ createdBy: 'test', definition: { description: '' } }]);
});
