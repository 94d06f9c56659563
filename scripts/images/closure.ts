import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { referencesOf } from './references.ts';

/** All that programs load, directly or through others. Sorted. */
export interface Closure {
  /** Relative to the root. */
  readonly files: readonly string[];
  /** Of packages, as they are imported: `hono/cors`. */
  readonly specifiers: readonly string[];
}

/** Walks from `mains` (paths relative to `root`). Throws an Error naming the file whose import is not there. */
export function closureOf(root: string, mains: readonly string[]): Closure {
  const files = new Set<string>(mains);
  const packages = new Set<string>();
  // A set hands out what is added while it is walked.
  for (const file of files) {
    if (!file.endsWith('.ts')) continue;
    const { specifiers, entries } = referencesOf(readFileSync(join(root, file), 'utf8'));
    for (const specifier of specifiers) {
      if (specifier.startsWith('.')) files.add(existing(root, file, specifier));
      else if (!isBuiltin(specifier)) packages.add(specifier);
    }
    for (const entry of entries) for (const found of matching(root, file, entry)) files.add(found);
  }
  return { files: [...files].sort(), specifiers: [...packages].sort() };
}

/** The package a specifier is of: `@scope/name/file` → `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function existing(root: string, file: string, specifier: string): string {
  const path = join(dirname(file), specifier);
  if (!existsSync(join(root, path))) throw new Error(`${file} imports ${specifier}, which is not there`);
  return path;
}

function matching(root: string, file: string, entry: string): string[] {
  const path = join(dirname(file), entry);
  if (!path.includes('*')) return [existing(root, file, `./${entry}`)];
  const found = globSync(path, { cwd: root });
  if (found.length === 0) throw new Error(`${file} starts ${entry}, which is not there`);
  return found;
}
