/** At most `limit` points per key in a window, which begins with the key's first request. */
export interface RatePolicy {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
}
export interface Taken {
  readonly allowed: boolean;
  /** Points left in this window. */
  readonly remaining: number;
  /** Until the window ends. */
  readonly resetMs: number;
}
export interface RateLimiter {
  readonly policy: RatePolicy;
  /** Takes `cost` points (1 unless said; never more than the limit). Never rejects. */
  readonly take: (key: string, cost?: number) => Taken | Promise<Taken>;
}

/** One key's use of a window that all processes share. */
export interface Count {
  readonly key: string;
  readonly points: number;
}
export interface Total {
  readonly points: number;
  readonly resetMs: number;
}
/** Adds to the shared counters and tells their totals, in the order of the counts; each key may come once. */
export type AddCounts = (policy: RatePolicy, counts: readonly Count[]) => Promise<readonly Total[]>;
