import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

const ban = (group, message) => ({ group, message });
const typesOnly = (group, message) => ({ group, message, allowTypeImports: true });
const only = (folder, forbidden) => ({
  files: [`${folder}/**/*.ts`],
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: forbidden }] },
});
// Inside its own folder a file may import freely: patterns name the other houses' folders.
const folders = (...names) => names.map((name) => `**/${name}/**`);

export default tseslint.config(
  { ignores: ['node_modules/**', '.anneal/**', '**/.venv/**', 'coverage/**'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Name what you export.' }],
    },
  },
  { files: ['**/*.config.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        Buffer: 'readonly',
      },
    },
  },
  only('pipelines', [
    ban(
      [...folders('workflows', 'activities', 'workers', 'api', 'serving', 'db', 'lib', 'data', 'cli'), 'node:*'],
      'A pipeline is plain data.',
    ),
  ]),
  only('workflows', [
    typesOnly(
      [...folders('activities', 'pipelines', 'lib')],
      'A workflow sees the outside as types: import type, then proxyActivities.',
    ),
    ban(
      [...folders('db', 'ml', 'data', 'workers', 'api', 'serving'), 'node:*', 'zod'],
      'Not replay-safe: put it behind an activity.',
    ),
  ]),
  only('activities', [
    typesOnly(
      folders('db', 'data', 'workflows', 'workers'),
      'Take it as a dependency; only composition roots construct adapters.',
    ),
    {
      regex: '/lib/(?!errors\\.ts$)',
      message: 'Take it as a dependency; only composition roots construct adapters.',
      allowTypeImports: true,
    },
    ban(folders('api', 'serving', 'cli'), 'Activities know nothing of the front doors.'),
  ]),
  only('ml', [
    ban(
      [
        ...folders('workflows', 'activities', 'workers', 'api', 'serving', 'db', 'lib', 'data', 'cli', 'pipelines'),
        'node:*',
        '@temporalio/*',
        'drizzle-orm',
        'hono',
      ],
      'ml/ is pure: data in, data out.',
    ),
  ]),
  only('pages', [
    ban(
      [
        ...folders('workflows', 'activities', 'workers', 'api', 'serving', 'db', 'lib', 'data', 'cli', 'auth'),
        'node:*',
        '@temporalio/*',
        'drizzle-orm',
        'hono',
      ],
      'pages/ is pure: data in, HTML out.',
    ),
  ]),
  only('data', [
    ban(
      [...folders('workflows', 'activities', 'workers', 'api', 'serving', 'db', 'cli'), '@temporalio/*', 'hono'],
      'data/ reads and writes tables; it knows no process.',
    ),
  ]),
  only('api', [
    typesOnly([...folders('db', 'data', 'ml', 'activities')], 'Take it as a dependency; only api/main.ts constructs.'),
    ban(folders('workers', 'serving', 'cli'), 'The control plane talks to the others through Temporal and Postgres.'),
  ]),
  only('serving', [
    // ml/ is pure, so serving may compute with it.
    typesOnly(folders('db', 'workflows'), 'Take it as a dependency; only serving/main.ts constructs.'),
    ban(
      [...folders('activities', 'workers', 'api', 'cli', 'data'), '@temporalio/*'],
      'The data plane carries no orchestration.',
    ),
  ]),
  only('auth', [
    typesOnly(folders('db'), 'Take it as a dependency; only composition roots construct adapters.'),
    ban(
      folders('workflows', 'activities', 'workers', 'api', 'serving', 'cli', 'data', 'ml', 'pipelines'),
      'auth/ knows callers, not what they call.',
    ),
  ]),
  only('db', [ban(folders('activities', 'workers', 'api', 'serving', 'cli', 'data'), 'db/ is below its users.')]),
  only('lib', [
    ban(
      folders('workflows', 'activities', 'workers', 'api', 'serving', 'db', 'cli', 'data', 'ml', 'pipelines', 'auth'),
      'lib/ knows no domain nouns.',
    ),
  ]),
  // Composition roots construct what the others receive.
  { files: ['*/main.ts'], rules: { '@typescript-eslint/no-restricted-imports': 'off' } },
);
