import type { AddCounts, Count, RatePolicy, Total } from './rate-limiter.ts';

interface Waiting extends Count {
  readonly resolve: (total: Total) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Adds to the shared counters with one statement at a time: what comes while one is under way goes with the next. So a
 * burst costs few statements, and counters that hang hold one connection. Each call gets the total as if they came in turn.
 * Rejects after `patienceMs`.
 */
export function createGatheredCounter(policy: RatePolicy, add: AddCounts, patienceMs: number) {
  let waiting: Waiting[] = [];
  let underWay = false;

  async function send(): Promise<void> {
    underWay = true;
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        const sums = new Map<string, number>();
        for (const { key, points } of batch) sums.set(key, (sums.get(key) ?? 0) + points);
        const counts = [...sums].map(([key, points]) => ({ key, points }));
        const totals = await within(patienceMs, add(policy, counts));
        const before = new Map(counts.map(({ key, points }, index) => [key, totals[index]!.points - points]));
        const resets = new Map(counts.map(({ key }, index) => [key, totals[index]!.resetMs]));
        for (const { key, points, resolve } of batch) {
          const total = before.get(key)! + points;
          before.set(key, total);
          resolve({ points: total, resetMs: resets.get(key)! });
        }
      } catch (error) {
        // Those that came meanwhile would only wait as long again.
        for (const { reject } of [...batch, ...waiting.splice(0)]) reject(error);
      }
    }
    underWay = false;
  }

  return (key: string, points: number): Promise<Total> =>
    new Promise((resolve, reject) => {
      waiting.push({ key, points, resolve, reject });
      if (!underWay) void send();
    });
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
