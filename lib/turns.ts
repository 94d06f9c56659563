import { PlatformError } from './errors.ts';

export interface TurnsOptions {
  readonly concurrent: number;
  /** How many may wait for their turn. */
  readonly waiting: number;
}

/** Runs some work at once, the next in turn. Throws UNAVAILABLE when too many wait already. */
export function createTurns({ concurrent, waiting }: TurnsOptions) {
  let running = 0;
  const queue: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < concurrent) running++;
    else if (queue.length < waiting) await new Promise<void>((resolve) => queue.push(resolve));
    else throw new PlatformError('UNAVAILABLE', 'too many requests of this kind wait already; try again shortly');
    try {
      return await work();
    } finally {
      const next = queue.shift();
      if (next) next();
      else running--;
    }
  };
}
