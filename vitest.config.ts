import { defineConfig } from 'vitest/config';

// `unit` needs no server and runs in `npm run verify`; `server` starts real ones (Postgres, Temporal, MinIO, Anneal) or is slow.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.server.test.ts'],
          testTimeout: 20_000,
          isolate: false, // half the time goes into imports otherwise
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'server',
          include: ['test/**/*.server.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
