import { execFileSync } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expect, onTestFinished, test } from 'vitest';
import { onPath } from '../../lib/go-install.ts';
import { MONITORING } from '../monitoring/files.ts';
import { temporaryFolder } from '../platform.ts';
import { requireProgram } from '../programs.ts';

const PROJECT = join(import.meta.dirname, '..', '..');
const CONFIGURATION = join(PROJECT, 'deploy', 'prometheus.yml');

interface Configuration {
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly static_configs?: readonly { readonly targets: readonly string[] }[];
    readonly dns_sd_configs?: readonly { readonly names: readonly string[] }[];
  }[];
}
const read = async (path: string): Promise<unknown> => parse(await readFile(path, 'utf8'), { merge: true });

test('Prometheus asks services of docker-compose.yml, under the jobs that alerts and dashboards name', async () => {
  const { scrape_configs: scrapes } = (await read(CONFIGURATION)) as Configuration;
  const { services } = (await read(join(PROJECT, 'docker-compose.yml'))) as { services: Record<string, unknown> };
  const asked = scrapes.flatMap(({ static_configs: fixed = [], dns_sd_configs: looked = [] }) => [
    ...fixed.flatMap(({ targets }) => targets.map((target) => target.split(':')[0]!)),
    ...looked.flatMap(({ names }) => names),
  ]);
  expect(asked.length).toBeGreaterThan(6);
  expect(asked.filter((name) => !(name in services))).toEqual([]);
  const ours = Object.keys(services).filter((name) => /^(api|serving|worker)/.test(name));
  expect(ours.filter((name) => !asked.includes(name))).toEqual([]);
  expect(scrapes.map(({ job_name: job }) => job)).toEqual(['api', 'serving', 'worker', 'node', 'otel']);
});

const install = 'apt-get install --no-install-recommends prometheus';
requireProgram({ name: 'promtool', path: onPath('promtool'), install }, (promtool) => {
  test('promtool accepts the configuration, with the rules where the container has them', async () => {
    const { path, remove } = await temporaryFolder('prometheus');
    onTestFinished(remove);
    await copyFile(CONFIGURATION, join(path, 'prometheus.yml'));
    await copyFile(join(MONITORING, 'prometheus', 'alerts.yml'), join(path, 'alerts.yml'));
    const answer = execFileSync(promtool, ['check', 'config', 'prometheus.yml'], { cwd: path, encoding: 'utf8' });
    expect(answer).toContain('SUCCESS');
  });
});
