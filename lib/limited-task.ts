import { json } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { outcomeOf } from './task-outcome.ts';

// A thread, because native code may keep the main one busy for ever. Without its parent nobody would end this process.
const END_WITH_PARENT = `
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGKILL'), 250);
`;

/** The child's side of lib/limited-process.ts: reads the input, answers the output or the PlatformError, and exits. */
export async function answerLimited<Input, Output>(work: (input: Input) => Output | Promise<Output>): Promise<void> {
  new Worker(END_WITH_PARENT, { eval: true }).unref();
  const input = (await json(process.stdin)) as Input;
  const outcome = await outcomeOf(async () => (await work(input)) ?? null);
  process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
}
