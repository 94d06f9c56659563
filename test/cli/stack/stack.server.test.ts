import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startStack, type Stack } from '../../../cli/stack/stack.ts';
import { printedLine } from '../../../cli/stack/container-log.ts';
import { temporaryFolder } from '../../platform.ts';

const SERVER = `['node', 'test/cli/stack/tiny-server.ts']`;
const SERVICE = `
    image: anneal-api:dev
    command: ${SERVER}
    environment: { HOST: 0.0.0.0, PORT: '8000', KEY_FILE: /run/secrets/key, HOME_FOLDER: /var/lib/anneal, DB: 'db:5432' }
    secrets: [key]
    volumes: ['home:/var/lib/anneal']
    healthcheck: { test: ['CMD', 'node', 'deploy/healthcheck.ts', 'http://127.0.0.1:8000/'] }`;

/** A stack of these services in a folder of its own, which ends with the test. */
async function bringUp(services: string, reports: string[] = []) {
  const { path, remove } = await temporaryFolder('stack');
  onTestFinished(remove);
  await mkdir(join(path, 'secrets'));
  await writeFile(join(path, 'secrets', 'key'), 'at db:5432\n');
  const composeFile = join(path, 'docker-compose.yml');
  await writeFile(composeFile, `services:${services}\nsecrets: { key: { file: ./secrets/key } }\n`);
  const folder = join(path, 'kept');
  const starting = startStack({ composeFile, env: {}, folder, report: (line) => void reports.push(line) });
  onTestFinished(async () => void (await starting.catch(() => undefined))?.stop());
  return { starting, folder };
}
const addressOf = ({ services }: Stack, name: string) =>
  services.find((service) => service.name === name)!.addresses[0]!;
const environmentAt = async (address: string) =>
  (await (await fetch(`http://${address}:8000/`)).json()) as Record<string, string>;

test('a service gets its environment of the file and no more, its secrets, and one address; all ends with it', async () => {
  const reports: string[] = [];
  const db = `\n  db: { image: 'grafana/grafana:1' }`;
  const { starting, folder } = await bringUp(`\n  web:${SERVICE}\n  other:${SERVICE}${db}`, reports);
  const stack = await starting;
  const address = addressOf(stack, 'web');
  const environment = await environmentAt(address);
  expect(processesOf(folder).length).toBeGreaterThan(1);
  expect(Object.keys(environment).sort()).toEqual(['DB', 'HOME', 'HOME_FOLDER', 'HOST', 'KEY_FILE', 'PATH', 'PORT']);
  const place = `${addressOf(stack, 'db')}:5432`;
  expect(environment).toMatchObject({ HOST: address, DB: place, HOME_FOLDER: join(folder, 'volumes', 'home') });
  expect(await readFile(environment['KEY_FILE']!, 'utf8')).toBe(`at ${place}\n`);
  expect(stack.services.filter(({ leftOut }) => leftOut).map(({ name }) => name)).toEqual(['db']);

  await stack.stop();
  expect(processesOf(folder)).toEqual([]);
  const log = readFileSync(join(folder, 'logs', 'web', 'web-json.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(printedLine);
  expect(log.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['ready', `${address} goes`]);
  expect(reports.join('\n')).toContain(`WARN tiny: ${address} goes`);
  expect(readdirSync(folder).sort()).toEqual(['logs', 'run', 'volumes']);
});

test('a service that ends is started again', async () => {
  const { starting } = await bringUp(`\n  web:${SERVICE}`);
  const stack = await starting;
  const before = stack.pids()['web'];
  await fetch(`http://${addressOf(stack, 'web')}:8000/end`).catch(() => undefined);
  await vi.waitFor(() => expect(stack.pids()['web']).not.toBe(before), { timeout: 90_000, interval: 100 });
  expect(await environmentAt(addressOf(stack, 'web'))).toMatchObject({ PORT: '8000' });
});

test('when a service does not start, what it says is said, those after it are not started, and nothing is left', async () => {
  const migrate = `\n  migrate: { image: 'anneal-migrate:dev', command: ['node', 'deploy/migrate.ts'], depends_on: { web: { condition: service_healthy } } }`;
  const after = `\n  after:${SERVICE}\n    depends_on: { migrate: { condition: service_completed_successfully } }`;
  const { starting, folder } = await bringUp(`\n  web:${SERVICE}${migrate}${after}`);
  await expect(starting).rejects.toThrow(/migrate ended with status 1[^]*TEMPORAL_ADDRESS is not set/);
  expect(processesOf(folder)).toEqual([]);
  expect(readdirSync(join(folder, 'logs')).sort()).toEqual(['migrate', 'web']);
});

test('a second stack in the same folder is refused, and the first goes on', async () => {
  const { starting, folder } = await bringUp(`\n  web:${SERVICE}`);
  const stack = await starting;
  const composeFile = join(folder, '..', 'docker-compose.yml');
  await expect(startStack({ composeFile, env: {}, folder, report: () => {} })).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  expect(await environmentAt(addressOf(stack, 'web'))).toMatchObject({ PORT: '8000' });
});

/** Processes that were told of a path in the folder. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(folder);
    } catch {
      return false; // it has just ended
    }
  });
}
