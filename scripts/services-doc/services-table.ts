import { type ComposeService, networksOf } from './compose-services.ts';

/** Bytes of what an image holds besides Node, by target; deploy/image-sizes.json has them. */
export type Sizes = Readonly<Record<string, { readonly node_modules_bytes: number; readonly source_bytes: number }>>;
type Entry = readonly [name: string, service: ComposeService];

/** One row for each service, as Markdown. */
export function servicesTable(services: readonly Entry[], sizes: Sizes): string {
  const head = ['service', 'command', 'ports', 'health check', 'depends on', 'networks', 'scales how', 'limits', 'installed size']; // prettier-ignore
  const rows = services.map(([name, service]) => [
    `\`${name}\`${service.profiles ? ` (${service.profiles.join(', ')})` : ''}`,
    commandOf(service),
    list((service.ports ?? []).map((port) => `\`${port}\``)),
    service.healthcheck ? code(service.healthcheck.test.slice(1)) : 'none',
    list(Object.entries(service.depends_on ?? {}).map(([other, { condition }]) => `\`${other}\` ${WHEN[condition]}`)),
    list(networksOf(service)),
    service.labels['anneal.scales']!,
    limitsOf(service),
    sizeOf(service, sizes),
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The names each service is given, once for services that are given the same. */
export function environmentList(services: readonly Entry[]): string {
  const groups = Map.groupBy(services, ([, { environment = {} }]) => Object.keys(environment).join('`, `'));
  return [...groups]
    .filter(([names]) => names !== '')
    .map(([names, same]) => `- **${same.map(([name]) => name).join(', ')}**: \`${names}\``)
    .join('\n');
}

const WHEN: Readonly<Record<string, string>> = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'done',
};
const commandOf = ({ build, image, command }: ComposeService) =>
  [build ? '' : `\`${image}\``, command ? code(command) : ''].filter(Boolean).join(' ');
const list = (texts: readonly string[]) => texts.join(', ') || '–';
const code = (words: readonly string[]) => `\`${words.join(' ').replaceAll('|', '\\|')}\``;
const limitsOf = ({ deploy: { resources } }: ComposeService) =>
  `${resources.limits.cpus} CPU, ${resources.limits.memory}`;

function sizeOf({ build }: ComposeService, sizes: Sizes): string {
  const size = build && sizes[build.target];
  return size ? `${megabytes(size.node_modules_bytes)} packages + ${megabytes(size.source_bytes)} Anneal` : '–';
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
