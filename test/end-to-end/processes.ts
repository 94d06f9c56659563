import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ANNEAL = join(import.meta.dirname, '..', '..', 'cli', 'anneal.ts');

export type AnnealProcess = ReturnType<typeof startAnneal>;

/** `anneal <command>` as a process of its own, in its own process group, as a shell starts it. */
export function startAnneal(command: string, env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, ['--no-warnings', ANNEAL, ...command.split(' ')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const look of waiting) look();
    });
  }
  const exited = once(child, 'exit').then(([code, signal]) => (code as number | null) ?? (signal as string));

  /** The first match in the output, as soon as it is there. Throws with the output when the process ends before. */
  const said = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(lines.join('\n'));
        if (!match) return;
        waiting.delete(look);
        resolve(match);
      };
      waiting.add(look);
      look();
      void exited.then((status) => reject(new Error(`${command} ended with ${status}:\n${lines.join('\n')}`)));
    });

  return {
    pid: child.pid!,
    exited,
    said,
    output: () => lines.join('\n'),
    /** To the process alone. */
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
    /** To its process group, as the terminal does on Ctrl-C. */
    interrupt: () => void process.kill(-child.pid!, 'SIGINT'),
  };
}
