import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { pythonVenv } from '../../scripts/python-venv.ts';

const dockerfile = readFileSync(join(import.meta.dirname, '..', '..', 'deploy', 'Dockerfile'), 'utf8');
let hadolint: string;
beforeAll(async () => {
  const python = await pythonVenv(join(import.meta.dirname, 'hadolint-requirements.txt'));
  hadolint = join(dirname(python), 'hadolint');
});

/** Codes of the rules that are broken. */
function brokenRules(text: string): string[] {
  const { stdout, stderr } = spawnSync(hadolint, ['--no-color', '--format', 'json', '-'], {
    input: text,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as { code: string; line: number }[]).map(({ code, line }) => `${code} in line ${line}`);
}

test('hadolint has nothing to say about the Dockerfile', () => {
  expect(brokenRules(dockerfile)).toEqual([]);
});

test.each([
  [
    'DL3007',
    'an image whose version moves',
    (text: string) => text.replace(/NODE_IMAGE=\S+/, 'NODE_IMAGE=x').replace('FROM ${NODE_IMAGE}', 'FROM node:latest'),
  ],
  ['DL3002', 'root as the last user', (text: string) => `${text}USER root\n`],
  ['DL3025', 'a command in a shell', (text: string) => `${text}CMD node api/main.ts\n`],
  ['DL3020', 'ADD where COPY will do', (text: string) => `${text}ADD api ./api\n`],
])('hadolint finds %s: %s', (code, _, change) => {
  expect(brokenRules(change(dockerfile)).map((found) => found.split(' ')[0])).toContain(code);
});
