import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface KeptJson<T> {
  /** null when nothing was saved, or it cannot be read. */
  readonly load: () => Promise<T | null>;
  /** Replaces the file in one step, so that a crash leaves the old one. False when there was nothing new. */
  readonly save: (value: T) => Promise<boolean>;
}

/** A value that outlives this process, in a file that only its user can read. */
export function createKeptJson<T>(path: string): KeptJson<T> {
  let saved = '';
  return {
    load: async () => {
      try {
        return JSON.parse(await readFile(path, 'utf8')) as T;
      } catch {
        return null;
      }
    },
    save: async (value) => {
      const text = JSON.stringify(value);
      if (text === saved) return false;
      await mkdir(dirname(path), { recursive: true });
      const draft = `${path}.${process.pid}.tmp`;
      await writeFile(draft, text, { mode: 0o600 });
      await rename(draft, path);
      saved = text;
      return true;
    },
  };
}
