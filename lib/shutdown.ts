import type { Logger } from './log.ts';

export interface Shutdown {
  /** What must be closed at the end; the last one added is closed first. */
  readonly defer: (name: string, close: () => unknown) => void;
  /** Closes everything, once; later calls get the same promise. True when all closed without an error in time. */
  readonly run: (reason: string) => Promise<boolean>;
}

/** Set in the environment of a process that must not outlive the one that started it. */
export const SUPERVISED = 'ANNEAL_SUPERVISED';

/** An orderly end within `graceMs`: what fails to close is logged and does not keep the others from closing. */
export function createShutdown({ log, graceMs }: { log: Pick<Logger, 'info' | 'error'>; graceMs: number }): Shutdown {
  const open: { name: string; close: () => unknown }[] = [];
  let done: Promise<boolean> | undefined;

  async function closeAll(): Promise<boolean> {
    let clean = true;
    for (let entry = open.pop(); entry; entry = open.pop()) {
      try {
        await entry.close();
      } catch (err) {
        clean = false;
        log.error({ err }, `closing ${entry.name} failed`);
      }
    }
    return clean;
  }

  return {
    defer: (name, close) => void open.push({ name, close }),
    run: (reason) => {
      if (done) return done;
      log.info({ reason }, 'shutting down');
      const late = timeout(graceMs, () => log.error('shutdown took too long'));
      return (done = Promise.race([closeAll(), late.reached]).finally(late.cancel));
    },
  };
}

// One Ctrl-C can arrive twice: from the terminal, and forwarded by npm.
const SAME_SIGNAL_MS = 1000;

/**
 * Ends this process in order on SIGINT or SIGTERM, or when the process that forked it is gone. A second signal ends it
 * at once. Exit status: 0, or 1 when something did not close.
 */
export function exitOnSignal(shutdown: Pick<Shutdown, 'run'>): void {
  let asked = 0;
  const stop = (reason: string) => {
    if (asked && Date.now() - asked > SAME_SIGNAL_MS) process.exit(130);
    asked ||= Date.now();
    void shutdown.run(reason).then((clean) => process.exit(clean ? 0 : 1));
  };
  const orphaned = () => void shutdown.run('parent gone').then((clean) => process.exit(clean ? 0 : 1));
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  if (process.connected) process.on('disconnect', orphaned);
  else if (process.env[SUPERVISED]) orphaned(); // already, while this process was loading
  delete process.env[SUPERVISED]; // not for the children of this process
}

function timeout(ms: number, then: () => void) {
  const { promise: reached, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => (then(), resolve(false)), ms).unref();
  return { reached, cancel: () => clearTimeout(timer) };
}
