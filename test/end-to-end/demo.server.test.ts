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
  // The period is a day, for at its end a smaller window is reported.
  env = { ...process.env, ...ANY_PORT, API_PORT, ANNEAL_HOME: home.path, REPORT_FREQUENCY: '86400' };
  demo = startAnneal('demo --drift', env);
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
  expect(JSON.parse(stdout)).toMatchObject({ decision: 'STAY', model: { name: 'churn', version: 2 } });
});

test('then customers change: the report says in what, training starts by itself, and its version is served', () => {
  const [usual, dearer] = demo.output().split(/^They stay high: report 3 on 1\d{3} predictions, drifted$/m);
  expect(usual).toMatch(/^Customers as ever: report 1 on 1\d{3} predictions, no drift$/m);
  expect(dearer).toMatch(/^ {2}✗ monthly_charges +wasserstein 1\.\d+, threshold 0\.1$/m);
  expect(dearer).toMatch(/^ {2}✓ payment_method_score /m);
  expect(dearer).toMatch(/^Training has started by itself: retrain-churn-3$/m);
  expect(dearer).toMatch(/^models:\/churn\/2 is deployed/m);
  expect(dearer).toMatch(/^ {2}3 {2}Brier score 0\.\d+ by \d+ labels/m);
});

test('the first start names the administrator and the password it has made', async () => {
  const password = (await readFile(join(home.path, 'secrets', 'admin-password'), 'utf8')).trim();
  expect(demo.output()).toMatch(new RegExp(`^Log in as +admin, password ${password} \\(kept in `, 'm'));
  expect(demo.output().split(password)).toHaveLength(2);
});
