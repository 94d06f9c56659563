const METRIC = 'anneal_event_loop_delay_seconds';

/** The 99th percentile of the event loop's delay since it was last asked for, in ms. */
export async function loopDelayOf(url: string): Promise<number> {
  return readLoopDelay(await (await fetch(`${url}/metrics`)).text());
}

/** From the text of /metrics. Throws where it lacks the metric. */
export function readLoopDelay(metrics: string): number {
  const line = metrics.split('\n').find((text) => text.startsWith(`${METRIC}{`) && text.includes('quantile="0.99"'));
  const seconds = Number(line?.slice(line.lastIndexOf(' ')));
  if (line === undefined || Number.isNaN(seconds)) throw new Error(`the metrics lack ${METRIC} of quantile 0.99`);
  return seconds * 1000;
}
