import { setPriority } from 'node:os';
import { answerLimited } from '../../lib/limited-task.ts';
import { tryModel } from './trial.ts';

// Run by model-trial.ts, beside a process that answers predictions.
setPriority(5);
await answerLimited(tryModel);
