import type { RuntimeOptions } from '@temporalio/worker';
import { claimPort } from './ports.ts';

export interface TemporalMetrics {
  /** For `Runtime.install`. */
  readonly telemetryOptions: NonNullable<RuntimeOptions['telemetryOptions']>;
  /** As Prometheus text; empty when they cannot be had. */
  readonly text: () => Promise<string>;
}

const ANSWER_MS = 1_000;

/**
 * What Temporal's SDK counts in a worker: tasks, slots, pollers, requests. It shows that only over HTTP, so here on a
 * port of loopback, from which it is read to be shown with the process's own.
 */
export async function temporalMetrics(service: string): Promise<TemporalMetrics> {
  const bindAddress = `127.0.0.1:${await claimPort(0, 'the metrics of Temporal')}`;
  const prometheus = { bindAddress, countersTotalSuffix: true, unitSuffix: true, useSecondsForDurations: true };
  const text = async () => {
    try {
      return await (await fetch(`http://${bindAddress}/metrics`, { signal: AbortSignal.timeout(ANSWER_MS) })).text();
    } catch {
      return '';
    }
  };
  return { telemetryOptions: { metrics: { prometheus, globalTags: { service }, attachServiceName: false } }, text };
}
