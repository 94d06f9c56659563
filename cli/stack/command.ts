import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { loadConfig } from '../../lib/config.ts';
import { exitOnSignal } from '../../lib/shutdown.ts';
import { startStack, type Stack, type StackService } from './stack.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

/** `anneal stack`: brings up what docker-compose.yml says, and stays until Ctrl-C or SIGTERM. */
export async function runStack(say: (line: string) => void): Promise<void> {
  const starting = startStack({
    composeFile: join(PROJECT, 'docker-compose.yml'),
    env: { ...dotEnv(join(PROJECT, '.env')), ...process.env },
    folder: join(loadConfig().ANNEAL_HOME, 'stack'),
    report: (line) => console.error(line),
  });
  let asked = false;
  let stack: Stack | undefined;
  exitOnSignal({
    run: async () => {
      asked = true;
      console.error('stopping …');
      stack ??= await starting.catch(() => undefined);
      await stack?.stop();
      return stack !== undefined;
    },
  });
  stack = await starting;
  if (asked) return await new Promise(() => {}); // the signal handler ends the process
  for (const line of stack.services.map(lineOf)) say(line);
  say('\nCtrl-C stops it.');
}

/** Compose reads the same file. */
const dotEnv = (path: string) => (existsSync(path) ? parseEnv(readFileSync(path, 'utf8')) : {});

function lineOf({ name, addresses, offers, leftOut }: StackService): string {
  if (leftOut !== null) return `${name.padEnd(20)}left out: ${leftOut}`;
  const urls = offers.map((offer) => `http://${offer}`).join('  ');
  return `${name.padEnd(20)}${addresses.join(', ').padEnd(16)}${urls}`.trimEnd();
}
