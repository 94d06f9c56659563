const TIMER_MS = 10; // prom-client's; Node measures from one tick of this timer to the next

/** The 99th percentile of the event loop's delay since it was last asked for, in ms, from Node's default metrics. */
export async function loopDelayOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const value = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/m.exec(text)?.[1];
  if (value === undefined) throw new Error(`${url}/metrics has no nodejs_eventloop_lag_p99_seconds`);
  return Math.max(0, Number(value) * 1000 - TIMER_MS);
}
