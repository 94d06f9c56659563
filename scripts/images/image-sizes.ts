import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface ImageSize {
  /** npm packages. */
  readonly node_modules_bytes: number;
  /** Anneal itself. */
  readonly source_bytes: number;
}

/** Bytes of the files in a tree of `makeImageTree`. Node and its Debian come on top and are the same for every target. */
export async function sizeOf(tree: string): Promise<ImageSize> {
  const node_modules_bytes = await bytesIn(join(tree, 'node_modules'));
  return { node_modules_bytes, source_bytes: (await bytesIn(tree)) - node_modules_bytes };
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
