import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A Python program that answers one JSON line per JSON line, so that its imports are paid once, before measuring. */
export interface Peer {
  ask<T>(question: object): Promise<T>;
  stop(): Promise<void>;
}

/** @param python path of the executable */
export function startPeer(python: string, script: string): Peer {
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async <T>(question: object): Promise<T> => {
      child.stdin.write(`${JSON.stringify(question)}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error(`the peer ended instead of answering; its error is above (${script.split('/').pop()})`);
      return JSON.parse(value) as T;
    },
    stop: async () => {
      child.stdin.end();
      await exited;
    },
  };
}
