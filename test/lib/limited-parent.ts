// Started by limited-process.test.ts, which kills it while its limited process never ends.
import { PlatformError } from '../../lib/errors.ts';
import { createLimitedProcesses } from '../../lib/limited-process.ts';

const run = createLimitedProcesses({ concurrent: 1, waiting: 0 });
await run(
  {
    script: new URL('limited-example.ts', import.meta.url),
    memoryBytes: 2 ** 28,
    timeoutMs: 120_000,
    refuse: (_, message) => new PlatformError('INVALID', message),
  },
  { does: 'loops' },
);
