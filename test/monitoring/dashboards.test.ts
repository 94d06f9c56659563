import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dashboardFiles } from '../../monitoring/grafana/all.ts';
import { dashboards, MONITORING, readYaml } from './files.ts';

// Of Grafana's units, those that are used here.
const UNITS = ['reqps', 'rowsps', 'ops', 'Bps', 's', 'bytes', 'percentunit', 'short'];
const all = [...dashboards()];

test('the dashboards are what their descriptions say (`node scripts/dashboards.ts` writes them)', () => {
  const written = [...dashboards().keys()].map((name) => [
    name,
    readFileSync(join(MONITORING, 'grafana/dashboards', name), 'utf8'),
  ]);
  expect(new Map(written as [string, string][])).toEqual(dashboardFiles());
});

test('there is one dashboard for each: serving, training, drift, Temporal workers, system', () => {
  const uids = all.map(([, { uid }]) => uid);
  expect(uids.sort()).toEqual(['drift', 'serving', 'system', 'temporal', 'training'].map((name) => `anneal-${name}`));
});

test.each(all)(
  '%s: each panel has a title and a description of its own, a place, a unit and expressions',
  (_, { panels }) => {
    expect(panels.length).toBeGreaterThan(0);
    for (const field of ['id', 'title', 'description', 'gridPos'] as const) {
      const values = panels.map((panel) => JSON.stringify((panel as unknown as Record<string, unknown>)[field]));
      expect(new Set(values).size, field).toBe(panels.length);
    }
    for (const { title, targets, fieldConfig } of panels) {
      expect(UNITS, title).toContain(fieldConfig.defaults.unit);
      expect(targets.length, title).toBeGreaterThan(0);
      for (const { expr } of targets) expect(expr, title).toBeTruthy();
    }
  },
);

test.each(all)(
  '%s: data comes from the data source that is chosen; every variable that is named is there',
  (_, board) => {
    const names = board.templating.list.map(({ name }) => name);
    expect(board.templating.list).toContainEqual(
      expect.objectContaining({ name: 'datasource', type: 'datasource', query: 'prometheus' }),
    );
    const text = JSON.stringify(board);
    for (const panel of board.panels) expect(panel.datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
    const named = [...text.matchAll(/\$\{?([a-z_]+)\}?/g)]
      .map(([, name]) => name!)
      .filter((name) => !name.startsWith('__'));
    expect(names).toEqual(expect.arrayContaining([...new Set(named)]));
    expect(board.links.map(({ url }) => url)).toContain('${anneal_url}/reports');
  },
);

test('exemplars lead to the traces of the provisioned Jaeger', () => {
  const { datasources } = readYaml('grafana/provisioning/datasources/anneal.yml') as {
    datasources: readonly { uid: string; jsonData?: { exemplarTraceIdDestinations: unknown } }[];
  };
  const destinations = datasources.flatMap(({ jsonData }) => jsonData?.exemplarTraceIdDestinations ?? []);
  expect(destinations).toEqual([{ name: 'trace_id', datasourceUid: 'anneal-jaeger' }]);
  expect(datasources.map(({ uid }) => uid)).toContain('anneal-jaeger');
});
