import type { Config } from '../lib/config.ts';
import { addressesOf } from './addresses.ts';
import { localUrl } from './services.ts';
import { textTable } from './text-table.ts';

export interface ServiceHealth {
  readonly service: string;
  readonly state: 'ready' | 'not ready' | 'down';
  /** Why it is not ready. */
  readonly detail: string | null;
}
interface Probe {
  readonly service: string;
  readonly url: string;
}
/** The api's and the workers' `failing`, serving's `reason`, the gateway's `detail`. */
interface Answer {
  readonly failing?: readonly string[];
  readonly reason?: string;
  readonly detail?: string;
}
// What the API asks before it calls itself ready.
const BEHIND_API = ['postgres', 'temporal', 'artifacts'];
const TIMEOUT_MS = 5_000;

/**
 * Asks every service whether it wants requests: at this machine's ports, or what can be seen through the gateway. What
 * stands behind the API is as the API sees it, and is left out where the API does not say.
 */
export async function healthOfServices(config: Config): Promise<ServiceHealth[]> {
  const answers = await Promise.all(probesOf(config).map(ask));
  const failing = answers.find(({ service }) => service === 'api')?.failing;
  const behind = failing === undefined ? [] : BEHIND_API.map((service) => seenByApi(service, failing));
  return [...answers.map(({ service, state, detail }) => ({ service, state, detail })), ...behind];
}

export const healthTable = (services: readonly ServiceHealth[]) =>
  textTable(
    ['service', 'state', 'why'],
    services.map(({ service, state, detail }) => [service, state, detail ?? '']),
  );

function probesOf(config: Config): Probe[] {
  const { gateway, api, serving } = addressesOf(config);
  if (gateway !== null)
    return [
      { service: 'gateway', url: `${gateway}/healthz` },
      { service: 'api', url: `${api}/api/v1/train/health` },
      { service: 'serving', url: `${serving}/health` },
    ];
  const worker = (role: string, port: number) => ({ service: `worker-${role}`, url: `${localUrl('127.0.0.1', port)}/readyz` }); // prettier-ignore
  return [
    { service: 'api', url: `${api}/readyz` },
    { service: 'serving', url: `${serving}/readyz` },
    worker('pipeline', config.WORKER_PIPELINE_METRICS_PORT),
    worker('training', config.WORKER_TRAINING_METRICS_PORT),
    worker('monitoring', config.WORKER_MONITORING_METRICS_PORT),
  ];
}

async function ask({ service, url }: Probe): Promise<ServiceHealth & { readonly failing?: readonly string[] }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { failing, reason, detail } = (await response.json()) as Answer;
    if (response.ok) return { service, state: 'ready', detail: null, failing };
    const why = reason ?? detail ?? (failing ? `cannot reach ${failing.join(', ')}` : `answers ${response.status}`);
    return { service, state: 'not ready', detail: why, failing };
  } catch {
    return { service, state: 'down', detail: `nothing answers at ${new URL(url).origin}` };
  }
}

const seenByApi = (service: string, failing: readonly string[]): ServiceHealth =>
  failing.includes(service)
    ? { service, state: 'down', detail: 'the api cannot reach it' }
    : { service, state: 'ready', detail: null };
