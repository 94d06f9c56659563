import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onPath } from '../../lib/go-install.ts';
import { requireProgram } from '../programs.ts';
import { alerts, MONITORING, readYaml } from './files.ts';

interface RuleTests {
  readonly tests: readonly {
    readonly name: string;
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

test('every alert says how bad it is, what happened and what to do', () => {
  expect(alerts().length).toBeGreaterThan(0);
  for (const { alert, labels, annotations } of alerts()) {
    expect(labels['severity'], alert).toMatch(/^(warning|critical)$/);
    expect(annotations, alert).toEqual({
      summary: expect.any(String) as string,
      description: expect.any(String) as string,
    });
  }
});

test('every alert has a test that fires it and one that does not', () => {
  const cases = (readYaml('prometheus/alerts.test.yml') as RuleTests).tests.flatMap((one) => one.alert_rule_test);
  const tested = (fires: boolean) =>
    new Set(cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname));
  const names = new Set(alerts().map(({ alert }) => alert));
  expect(tested(true)).toEqual(names);
  expect(tested(false)).toEqual(names);
});

requireProgram(
  { name: 'promtool', path: onPath('promtool'), install: 'apt-get install --no-install-recommends prometheus' },
  (promtool) => {
    test.each([
      ['check', 'config', 'prometheus.yml'],
      ['check', 'rules', 'alerts.yml'],
      ['test', 'rules', 'alerts.test.yml'],
    ])('promtool %s %s %s passes', (...args) => {
      const cwd = join(MONITORING, 'prometheus');
      expect(execFileSync(promtool, args, { cwd, encoding: 'utf8' })).toContain('SUCCESS');
    });
  },
);
