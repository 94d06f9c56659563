import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { portError } from './ports.ts';

/** Each check throws, or does not answer within a second, when the process is not ready. */
export type Checks = Readonly<Record<string, () => unknown>>;
export interface HealthServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Named in the error when the port is taken. */
  readonly variable: string;
  readonly host?: string;
  readonly checks: Checks;
  /** All metrics, as Prometheus text. */
  readonly metrics: () => Promise<string>;
}
export interface HealthServer {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** `/livez`, `/readyz` and `/metrics` for a process that serves nothing else. Throws CONFLICT when the port is taken. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { port, variable, host = '127.0.0.1', checks, metrics } = options;
  const routes: Record<string, (response: ServerResponse) => Promise<void>> = {
    '/livez': (response) => Promise.resolve(json(response, 200, { status: 'live' })),
    '/readyz': async (response) => {
      const failing = await failingChecks(checks);
      const ready = failing.length === 0;
      json(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not_ready', failing });
    },
    '/metrics': async (response) => {
      const text = await metrics();
      response.writeHead(200, { 'content-type': Registry.PROMETHEUS_CONTENT_TYPE }).end(text);
    },
  };
  const server = createServer((request, response) => {
    const route = routes[(request.url ?? '').split('?')[0]!];
    if (!route) return json(response, 404, { status: 'not_found' });
    route(response).catch(() => json(response, 500, { status: 'failed' }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portError(error, port, variable)));
    server.listen(port, host, resolve);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: (server.address() as { port: number }).port, stop };
}

/** Names of the checks that fail. Nothing to check is not ready: an empty list must not pass as good. */
export async function failingChecks(checks: Checks, timeoutMs = 1000): Promise<string[]> {
  const entries = Object.entries(checks);
  if (entries.length === 0) return ['nothing_to_check'];
  const passed = await Promise.all(entries.map(([, check]) => passes(check, timeoutMs)));
  return entries.filter((_, index) => !passed[index]).map(([name]) => name);
}

async function passes(check: () => unknown, timeoutMs: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    const late = delay(timeoutMs, false, { signal: timer.signal });
    late.catch(() => {});
    return await Promise.race([Promise.resolve(check()).then(() => true), late]);
  } catch {
    return false;
  } finally {
    timer.abort();
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
