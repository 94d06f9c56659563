import { setTimeout as delay } from 'node:timers/promises';
import { PlatformError } from '../lib/errors.ts';
import { homeOwner } from './home-lock.ts';

/**
 * Ends what has one of these homes (`anneal up`, `demo`, `stack`), as Ctrl-C would, and waits until it has ended: it limits
 * that time itself. Answers how many there were. Throws FORBIDDEN when one is another user's.
 */
export async function endPlatform(homes: readonly string[], say: (line: string) => void): Promise<number> {
  let ended = 0;
  for (const home of homes) {
    const pid = homeOwner(home)?.pid;
    if (pid === undefined) continue;
    say(`stopping process ${pid} …`);
    signal(pid);
    while (homeOwner(home)?.pid === pid) await delay(100);
    ended++;
  }
  return ended;
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ESRCH') return; // it has just ended
    throw new PlatformError('FORBIDDEN', `process ${pid} cannot be stopped (${code}); it is another user's`, { cause });
  }
}
