import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { answerLimited } from '../../../lib/limited-task.ts';
import { tryModel, type TrialInput } from '../../../serving/scoring/trial.ts';

// Started by broken-models.server.test.ts: a trial in which some files do to ONNX Runtime what few real ones do.
await answerLimited(async (input: TrialInput) => {
  const content = await readFile(input.path, 'utf8');
  if (content.startsWith('takes for ever')) await delay(600_000);
  if (content.startsWith('crashes')) process.kill(process.pid, 'SIGSEGV');
  if (content.startsWith('fills the memory')) for (const kept: Buffer[] = []; ;) kept.push(Buffer.alloc(2 ** 26, 1));
  return await tryModel(input);
});
