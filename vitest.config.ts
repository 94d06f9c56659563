import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// What takes minutes begins first: at the end one processor would wait for the other.
const LONG = [
  'serving/ledger',
  'end-to-end/drift-kills',
  'fuzz/openapi',
  'ml/drift/evidently-parity',
  'deploy/images',
  'end-to-end/durability',
  'end-to-end/batch-predictions',
  'serving/drain',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = (file: TestSpecification) => LONG.some((name) => file.moduleId.includes(`/test/${name}.`));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

// `unit` needs no server and runs in `npm run verify`; `server` starts real ones (Postgres, Temporal, MinIO, Anneal) or is slow.
export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.server.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          isolate: false, // half the time goes into imports otherwise
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'server',
          include: ['test/**/*.server.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
