import { expect, test } from 'vitest';
import { referencesOf } from '../../../scripts/images/references.ts';

test('imports, re-exports, dynamic imports and looked-up packages are references; types are none', () => {
  const { specifiers } = referencesOf(`
    import './side-effect.ts';
    import { a, type B } from './a.ts';
    import * as c from 'c/sub';
    import type { D } from './d.ts';
    export * from './e.ts';
    export type { F } from './f.ts';
    const g = await import('@scope/g');
    type H = import('./h.ts').H;
    createRequire(import.meta.url).resolve('i/package.json');
    await Promise.resolve('j');
  `);
  expect(specifiers).toEqual(['./side-effect.ts', './a.ts', 'c/sub', './e.ts', '@scope/g', 'i/package.json']);
});

test('modules that threads and children start with are entries, also where a part is known only at run time', () => {
  const { entries } = referencesOf(`
    new Worker(new URL('thread.ts', import.meta.url));
    createThreadPool(new URL(\`tasks/\${role}.ts\`, import.meta.url));
    fork(join(import.meta.dirname, '..', 'main.ts'));
    new URL('https://example.org/x.ts');
    join(import.meta.dirname, 'migrations');
  `);
  expect(entries).toEqual(['thread.ts', 'tasks/*.ts', '../main.ts']);
});
