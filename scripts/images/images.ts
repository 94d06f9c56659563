import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Closure, closureOf, packageOf } from './closure.ts';

/** What an image holds besides Node. */
export interface Image {
  /** Programs; those in deploy/ are copied by themselves, without their folder. */
  readonly main: readonly string[];
  /** Folders of the repository, copied whole. */
  readonly folders: readonly string[];
  /** npm packages that its modules import; npm adds what these need. */
  readonly dependencies: readonly string[];
}
export type Target = keyof typeof PROGRAMS;
export type Images = Readonly<Record<Target, Image>>;

const PROGRAMS = {
  api: ['api/main.ts'],
  serving: ['serving/cluster/main.ts', 'serving/main.ts'],
  worker: ['workers/main.ts'],
  migrate: ['deploy/migrate.ts'],
} as const;
/** Folders that are read, not imported. */
const READS: Partial<Record<Target, readonly string[]>> = { serving: ['configs'] };

export const TARGETS = Object.keys(PROGRAMS) as Target[];

const mainOf = (target: Target) => [...PROGRAMS[target], 'deploy/healthcheck.ts'].sort();

/** The modules and packages that the programs of an image load. */
export const loadedBy = (root: string, target: Target): Closure => closureOf(root, mainOf(target));

/** From what the programs of each target import. Throws an Error naming a package that package.json does not depend on. */
export function imagesOf(root: string): Images {
  return Object.fromEntries(TARGETS.map((target) => [target, imageOf(root, target)])) as Images;
}

function imageOf(root: string, target: Target): Image {
  const main = mainOf(target);
  const { files, specifiers } = loadedBy(root, target);
  const foldersOf = files.filter((file) => !(main.includes(file) && file.startsWith('deploy/')));
  const folders = [...foldersOf.map((file) => file.split('/')[0]!), ...(READS[target] ?? [])];
  const dependencies = specifiers.map(packageOf);
  const declared = declaredDependencies(root);
  const undeclared = dependencies.filter((name) => !declared.has(name));
  if (undeclared.length > 0)
    throw new Error(`${target} imports ${undeclared.join(', ')}: no dependency in package.json`);
  return { main, folders: sorted(folders), dependencies: sorted(dependencies) };
}

const sorted = (names: readonly string[]) => [...new Set(names)].sort();

function declaredDependencies(root: string): Set<string> {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object };
  return new Set(Object.keys(dependencies));
}
