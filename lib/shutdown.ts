import type { Logger } from './log.ts';

export interface Shutdown {
  /** What must be closed at the end; the last one added is closed first. */
  readonly defer: (name: string, close: () => unknown) => void;
  /** Closes everything, once; later calls get the same promise. True when all closed without an error in time. */
  readonly run: (reason: string) => Promise<boolean>;
}

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
      return (done = Promise.race([closeAll(), timeout(graceMs, () => log.error('shutdown took too long'))]));
    },
  };
}

/**
 * Ends this process in order on SIGINT or SIGTERM, or when the process that forked it is gone. A second signal ends it
 * at once. Exit status: 0, or 1 when something did not close.
 */
export function exitOnSignal(shutdown: Shutdown): void {
  let asked = false;
  const stop = (reason: string) => {
    if (asked && reason !== 'parent gone') process.exit(130);
    asked = true;
    void shutdown.run(reason).then((clean) => process.exit(clean ? 0 : 1));
  };
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  if (process.connected) process.on('disconnect', () => stop('parent gone'));
}

const timeout = (ms: number, then: () => void) =>
  new Promise<false>((resolve) => {
    setTimeout(() => (then(), resolve(false)), ms).unref();
  });
