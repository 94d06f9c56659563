import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { answerLimited } from '../../../lib/limited-task.ts';
import { tryModel, type TrialInput } from '../../../serving/scoring/trial.ts';

// Started by broken-models.server.test.ts: a trial in which some files do to ONNX Runtime what few real ones do.
await answerLimited(async (input: TrialInput) => {
  const content = await readFile(input.path, 'utf8');
  if (content.startsWith('takes for ever')) await delay(600_000);
  if (content.startsWith('crashes')) process.kill(process.pid, 'SIGSEGV');
  if (content.startsWith('fills the memory')) {
    // Twice what it may have, and no more: who watches it may be late.
    const kept = Array.from({ length: 16 }, () => Buffer.alloc(2 ** 26, 1));
    await delay(600_000, kept);
  }
  return await tryModel(input);
});
