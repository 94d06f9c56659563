import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly optionalDependencies?: Record<string, string>;
}
const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, LockedPackage>;
};

// A version that was never published for one platform makes npm leave it out, and `npm ci` then refuses the whole file.
test('the lock file has every optional package, so that npm ci accepts it on every platform', () => {
  const absent = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !lock.packages[`node_modules/${name}`] && !lock.packages[`${path}/node_modules/${name}`])
      .map((name) => `${path} → ${name}`),
  );
  expect(absent).toEqual([]);
});

test('the lock file names no registry', () => {
  const resolved = Object.entries(lock.packages).filter(([, { resolved }]) => resolved !== undefined);
  expect(resolved.map(([path]) => path)).toEqual([]);
});

test('one copy of protobufjs 8 is installed, or replay from JSON fails', () => {
  const copies = Object.entries(lock.packages).filter(
    ([path, { version }]) => path.endsWith('node_modules/protobufjs') && version?.startsWith('8.'),
  );
  expect(copies.map(([path]) => path)).toEqual(['node_modules/protobufjs']);
});
