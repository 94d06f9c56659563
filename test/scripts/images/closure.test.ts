import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closureOf, packageOf } from '../../../scripts/images/closure.ts';
import { temporaryFolder, type TemporaryFolder } from '../../platform.ts';

let folder: TemporaryFolder;
beforeEach(async () => (folder = await temporaryFolder('closure')));
afterEach(() => folder.remove());

function writeFiles(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true });
    writeFileSync(join(folder.path, name), text);
  }
}

test('a closure holds what is loaded through others, in circles and by threads, and nothing else', () => {
  writeFiles({
    'main.ts': `import './lib/a.ts'; import 'node:fs'; new URL(\`lib/threads/\${name}.ts\`, import.meta.url);`,
    'lib/a.ts': `import '../main.ts'; import data from './data.json' with { type: 'json' }; import '@x/y/z';`,
    'lib/data.json': '{}',
    'lib/threads/one.ts': `import type { T } from '../unused.ts'; import 'p';`,
    'lib/unused.ts': `import 'q';`,
  });
  expect(closureOf(folder.path, ['main.ts'])).toEqual({
    files: ['lib/a.ts', 'lib/data.json', 'lib/threads/one.ts', 'main.ts'],
    specifiers: ['@x/y/z', 'p'],
  });
});

test('an import of a file that is not there says who imports it', () => {
  writeFiles({ 'main.ts': `import './gone.ts';` });
  expect(() => closureOf(folder.path, ['main.ts'])).toThrow('main.ts imports ./gone.ts, which is not there');
  writeFiles({ 'main.ts': `new URL(\`gone/\${name}.ts\`, import.meta.url);` });
  expect(() => closureOf(folder.path, ['main.ts'])).toThrow('main.ts starts gone/*.ts, which is not there');
});

test('the package of a specifier has its scope', () => {
  expect(['hono/cors', '@hono/node-server', '@x/y/z.js'].map(packageOf)).toEqual(['hono', '@hono/node-server', '@x/y']);
});
