import { Counter, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { expose } from '../../lib/exposition.ts';

test('a counter is the same in both formats, whatever was asked for before', async () => {
  const registry = new Registry();
  registry.setDefaultLabels({ service: 'api' });
  new Counter({ name: 'things_total', help: 'Things', labelNames: ['kind'], registers: [registry] }).inc(
    { kind: 'a' },
    3,
  );
  const open = await expose(await registry.getMetricsAsJSON(), 'application/openmetrics-text; version=1.0.0');
  expect(open.text).toBe(
    '# HELP things Things\n# TYPE things counter\nthings_total{kind="a",service="api"} 3\n# EOF\n',
  );
  const plain = await expose(await registry.getMetricsAsJSON());
  expect(plain.text).toBe(
    '# HELP things_total Things\n# TYPE things_total counter\nthings_total{kind="a",service="api"} 3\n',
  );
});
