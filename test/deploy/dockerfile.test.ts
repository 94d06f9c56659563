import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import images from '../../deploy/images.json' with { type: 'json' };
import lock from '../../package-lock.json' with { type: 'json' };
import { stagesOf } from './dockerfile.ts';

const root = join(import.meta.dirname, '..', '..');
const dockerfile = readFileSync(join(root, 'deploy', 'Dockerfile'), 'utf8');
const stages = stagesOf(dockerfile);
const targets = Object.entries(images);
const BASE = 'process';

test.each(targets)('the target %s copies what deploy/images.json says, and no more', (target, { main, folders }) => {
  const programs = main.filter((file) => file.startsWith('deploy/'));
  const copied = [BASE, target].flatMap((stage) => sourcesOf(stages.get(stage)!));
  expect(copied.sort()).toEqual([...programs, ...folders].sort());
});

test.each(targets)('the target %s has its own packages, pruned from those of the lock file', (target) => {
  expect(stages.get(`${target}-modules`)).toEqual([
    `FROM installed AS ${target}-modules`,
    `RUN node deploy/prune-modules.ts ${target} .`,
  ]);
  expect(stages.get(target)).toContain(`COPY --from=${target}-modules /app/package.json ./`);
  expect(stages.get(target)).toContain(`COPY --from=${target}-modules /app/node_modules ./node_modules`);
  expect(stages.get('installed')!.filter((line) => line.includes(' npm '))).toEqual([
    'RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts',
  ]);
});

test.each(targets)('the target %s runs a program of its own as a user who is not root', (target, { main }) => {
  expect(stages.get(target)![0]).toBe(`FROM ${BASE} AS ${target}`);
  expect(stages.get(BASE)!.at(-1)).toBe('USER 10001:10001');
  expect(stages.get(target)!.filter((line) => line.startsWith('USER'))).toEqual([]);
  const command = stages.get(target)!.at(-1)!;
  expect(command).toMatch(/^CMD \["node", /);
  expect(main).toContain((JSON.parse(command.slice('CMD '.length)) as string[])[1]);
});

test('the images run the Node that the tests run on, in an exact version', () => {
  const node = lock.packages['node_modules/node'].version;
  expect(stages.get('')).toEqual([`ARG NODE_IMAGE=node:${node}-slim`]);
  const bases = [...stages.values()].flat().filter((line) => line.startsWith('FROM'));
  const own = [...stages.keys()].filter((name) => name !== '');
  expect(bases.map((line) => line.split(' ')[1])).toSatisfy((names: string[]) =>
    names.every((name) => name === '${NODE_IMAGE}' || own.includes(name)),
  );
});

test('the builder gets what the Dockerfile copies, and nothing else', () => {
  const [first, ...allowed] = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(first).toBe('*');
  const copied = [...stages.values()].flatMap(sourcesOf);
  expect(allowed.sort()).toEqual([...new Set(copied)].map((path) => `!${path}`).sort());
});

/** What a stage copies from the repository. */
function sourcesOf(stage: readonly string[]): string[] {
  expect(stage.filter((line) => /^ADD /.test(line))).toEqual([]);
  const copies = stage.filter((line) => /^COPY (?!--from)/.test(line));
  return copies.flatMap((line) => line.split(' ').slice(1, -1));
}
