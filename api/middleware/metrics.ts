import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { Histogram, type Registry } from 'prom-client';
import { exemplarOf, recordedTrace } from '../../lib/exposition.ts';
import type { ApiEnv } from '../router.ts';

/** Times every request, with the trace of one that is traced. The label is the route's pattern, never the path, so that callers cannot grow the series. */
export function requestMetrics(registry: Registry) {
  const seconds = new Histogram({
    name: 'anneal_api_request_seconds',
    help: 'Time from the request to the first byte of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    enableExemplars: true,
    registers: [], // would refuse exemplars, for a registry's own text has none
  });
  registry.registerMetric(seconds);
  return createMiddleware<ApiEnv>(async (c, next) => {
    const startedMs = performance.now();
    await next();
    const labels = { method: methodOf(c.req.method), route: routePath(c, -1), status: String(c.res.status) };
    const value = (performance.now() - startedMs) / 1000;
    seconds.observe({ labels, value, exemplarLabels: exemplarOf(recordedTrace()) });
  });
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']);
const methodOf = (method: string) => (METHODS.has(method) ? method : 'other');
