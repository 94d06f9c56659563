// Started by limited-process.test.ts: does what its input says.
import { spawnSync } from 'node:child_process';
import { PlatformError } from '../../lib/errors.ts';
import { answerLimited } from '../../lib/limited-task.ts';

interface Order {
  readonly does: 'environment' | 'refuses' | 'allocates' | 'loops' | 'crashes' | 'throws' | 'talks' | 'sleeps';
  readonly ms?: number;
}

await answerLimited(async ({ does, ms }: Order) => {
  switch (does) {
    case 'environment':
      return Object.keys(process.env);
    case 'refuses':
      throw new PlatformError('MODEL_INVALID', 'not like this', {
        details: [{ path: 'body', rule: 'r', message: 'm' }],
      });
    case 'allocates': {
      // Not all there is: who watches may be late.
      const kept = Array.from({ length: 40 }, () => Buffer.alloc(2 ** 24, 1));
      return await new Promise(() => setInterval(() => kept, 1000));
    }
    case 'loops':
      for (;;);
    case 'crashes':
      process.kill(process.pid, 'SIGSEGV');
      return await new Promise(() => setInterval(() => {}, 1000));
    case 'throws':
      throw new TypeError('a bug');
    case 'talks':
      return spawnSync('yes', { maxBuffer: 2 ** 23 }).stdout.toString();
    case 'sleeps':
      await new Promise((resolve) => setTimeout(resolve, ms));
      return ms;
  }
});
