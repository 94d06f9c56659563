import { parse, stringify } from 'yaml';
import type { Places } from './places.ts';

interface DnsLookup {
  readonly names: readonly string[];
  readonly port: number;
}

/**
 * Prometheus asks DNS for the addresses of a service's replicas. Without containers there is nobody to ask, so what DNS
 * would answer is written in the place of the question.
 */
export function answerDns(configuration: string, hosts: Places['hosts']): string {
  const tree = parse(configuration) as { scrape_configs?: Record<string, unknown>[] };
  const scrapes = tree.scrape_configs?.map(({ dns_sd_configs: lookups, ...scrape }) => {
    if (lookups === undefined) return scrape;
    const targets = (lookups as DnsLookup[]).flatMap(({ names, port }) =>
      names.flatMap((name) => hosts.get(name) ?? []).map((address) => `${address}:${port}`),
    );
    return { ...scrape, static_configs: [{ targets }] };
  });
  return stringify({ ...tree, scrape_configs: scrapes });
}
