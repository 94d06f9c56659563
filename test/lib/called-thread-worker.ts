import { answerCalls } from '../../lib/answer-calls.ts';
import { PlatformError } from '../../lib/errors.ts';

let kept = 0;

answerCalls<{ readonly does: 'add' | 'refuse' | 'break' | 'crash'; readonly value?: number }>(
  async ({ does, value }) => {
    await Promise.resolve();
    if (does === 'refuse')
      throw new PlatformError('INVALID', 'no', { details: [{ path: 'x', rule: 'r', message: 'm' }] });
    if (does === 'break') throw new TypeError('a bug');
    if (does === 'crash') process.exit(3);
    return { output: (kept += value ?? 0) };
  },
  () => Promise.resolve(),
);
