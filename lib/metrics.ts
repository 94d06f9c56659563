import { collectDefaultMetrics, Registry } from 'prom-client';

/** A registry of its own for one process: every series carries its service, Node's default metrics are included. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}
