import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimPort } from '../../lib/ports.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { ANY_PORT } from './platform.ts';
import { startAnneal, type AnnealProcess } from './processes.ts';

const PROJECT = join(import.meta.dirname, '../..');

let home: TemporaryFolder;
let demo: AnnealProcess;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  home = await temporaryFolder('demo');
  // `anneal token` looks for the API where the configuration says it is.
  const API_PORT = String(await claimPort(0, 'API_PORT'));
  env = { ...process.env, ...ANY_PORT, API_PORT, ANNEAL_HOME: home.path };
  demo = startAnneal('demo', env);
  await demo.said(/The platform stays up/);
});
afterAll(async () => {
  demo?.interrupt();
  await demo?.exited;
  await home?.remove();
});

test('the demo ends with a deployed model, and with a command that scores a customer as it is printed', async () => {
  expect(demo.output()).toMatch(/models:\/churn\/1 is deployed, [\d.]+ s after POST \/train/);
  const [, command] = /^Score a customer +(curl .+)$/m.exec(demo.output())!;
  const { stdout } = await promisify(execFile)('bash', ['-c', command!], { cwd: PROJECT, env });
  expect(JSON.parse(stdout)).toMatchObject({ decision: 'STAY', model: { name: 'churn', version: 1 } });
});

test('the first start names the administrator and the password it has made', async () => {
  const password = (await readFile(join(home.path, 'secrets', 'admin-password'), 'utf8')).trim();
  expect(demo.output()).toMatch(new RegExp(`^Log in as +admin, password ${password} \\(kept in `, 'm'));
  expect(demo.output().split(password)).toHaveLength(2);
});
