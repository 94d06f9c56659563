import { join } from 'node:path';
import { PlatformError } from '../../lib/errors.ts';
import { servicesOf, type ComposeFile, type ComposeService } from './compose-file.ts';
import { mountsOf, type Mounts } from './mounts.ts';
import { place, type Places } from './places.ts';

/** One container of the Compose file as a process of this machine. */
export interface Replica {
  readonly service: string;
  /** The service's name; with a number where there are several. */
  readonly name: string;
  readonly image: string;
  readonly address: string;
  /** Its command, environment and health check, with the places of this machine. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck: readonly string[] | null;
  /** Stands for the container's file system. */
  readonly root: string;
  readonly mounts: Mounts;
  readonly places: Places;
  /** Folder of what is kept from one start to the next. */
  readonly volumes: string;
  readonly graceMs: number;
  /** Address and port of what the file publishes on the host. */
  readonly offers: readonly string[];
}
export interface PlannedService {
  readonly name: string;
  readonly dependsOn: readonly string[];
  /** Others wait for its end. */
  readonly runsOnce: boolean;
  readonly replicas: readonly Replica[];
}
export interface PlanOptions {
  readonly profiles: readonly string[];
  /** Folder of the Compose file. */
  readonly project: string;
  /** Folder of all that the stack keeps and writes. */
  readonly folder: string;
  /** The first three numbers of the addresses, as 127.80.3. */
  readonly network: string;
}

/**
 * What the Compose file says, as processes of this machine: every replica has a loopback address of its own and keeps the
 * ports of its container. In the order in which services can be started. Throws INVALID when they wait for each other.
 */
export function planStack(file: ComposeFile, options: PlanOptions): PlannedService[] {
  const hosts = addressesOf(file, options.network);
  const shared = {
    hosts,
    published: new Map(
      Object.entries(file.services).flatMap(([name, { ports }]) => publishedPorts(ports, hosts.get(name)![0]!)),
    ),
    subnets: Object.values(file.networks)
      .flatMap((network) => network?.ipam?.config ?? [])
      .flatMap(({ subnet }) => subnet ?? []),
  };
  return inOrder(file, servicesOf(file, options.profiles)).map((name) => {
    const service = file.services[name]!;
    const addresses = hosts.get(name)!.slice(0, service.deploy.replicas);
    const replicas = addresses.map((own, index) => {
      const full = addresses.length === 1 ? name : `${name}-${index + 1}`;
      return planReplica(file, service, { service: name, name: full, address: own }, { ...shared, own }, options);
    });
    return { name, dependsOn: Object.keys(service.depends_on), runsOnce: runsOnce(file, name), replicas };
  });
}

function planReplica(
  file: ComposeFile,
  service: ComposeService,
  identity: Pick<Replica, 'service' | 'name' | 'address'>,
  shared: Omit<Places, 'paths'>,
  { project, folder }: PlanOptions,
): Replica {
  const root = join(folder, 'containers', identity.name);
  const volumes = join(folder, 'volumes');
  const mounts = mountsOf(service, file.secrets, { project, root, volumes, logs: join(folder, 'logs') });
  const places = { ...shared, paths: mounts.paths };
  const here = (text: string) => place(text, places);
  return {
    ...identity,
    image: service.image,
    command: service.command.map(here),
    environment: Object.fromEntries(Object.entries(service.environment).map(([name, value]) => [name, here(value)])),
    healthcheck: service.healthcheck?.test.map(here) ?? null,
    root,
    mounts,
    places,
    volumes,
    graceMs: service.stop_grace_period * 1000,
    offers: [...new Map(publishedPorts(service.ports, identity.address)).values()],
  };
}

const runsOnce = ({ services }: ComposeFile, name: string): boolean =>
  Object.values(services).some(({ depends_on: on }) => on[name]?.condition === 'service_completed_successfully');

/** One address for each replica of every service, started or not, from .2 on: .1 would be taken for a gateway's. */
function addressesOf({ services }: ComposeFile, network: string): Map<string, string[]> {
  let next = 2;
  return new Map(
    Object.entries(services).map(([name, { deploy }]) => [
      name,
      Array.from({ length: Math.max(deploy.replicas, 1) }, () => `${network}.${next++}`),
    ]),
  );
}

/** `[address:]port:port in the container` → port, and where it leads. */
const publishedPorts = (ports: readonly string[], address: string): [string, string][] =>
  ports.map((text) => {
    const [inside, outside] = text.split(':').toReversed();
    return [outside ?? inside!, `${address}:${inside}`];
  });

/** The services after those they depend on. Only those started count; one whose dependency is not is refused, as Compose does. */
function inOrder({ services }: ComposeFile, started: readonly string[]): string[] {
  const ordered: string[] = [];
  const visit = (name: string, above: readonly string[]) => {
    if (ordered.includes(name)) return;
    if (above.includes(name))
      throw new PlatformError('INVALID', `services wait for each other: ${[...above, name].join(' → ')}`);
    if (!started.includes(name))
      throw new PlatformError(
        'INVALID',
        `service '${above.at(-1)}' depends on '${name}', which no chosen profile starts`,
      );
    for (const other of Object.keys(services[name]!.depends_on)) visit(other, [...above, name]);
    ordered.push(name);
  };
  for (const name of started) visit(name, []);
  return ordered;
}
