import { networksOf as namesOf } from '../../scripts/services-doc/compose-services.ts';

/** A Compose file as `yaml` reads it, merge keys followed; only what the rules look at. */
export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks?: object;
  readonly volumes?: object;
  readonly secrets?: object;
}
export interface Service {
  readonly image?: string;
  readonly build?: { readonly target?: string };
  readonly command?: readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number | null>>;
  readonly healthcheck?: { readonly test?: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly networks?: readonly string[] | object;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly deploy?: { readonly resources?: { readonly limits?: { readonly cpus?: string; readonly memory?: string } } };
}
export type RuleName = keyof typeof RULES;
/** Why a service need not keep a rule. */
export type Exceptions = Readonly<Partial<Record<RuleName, Readonly<Record<string, string>>>>>;

type Rule = (service: Service, name: string, compose: Compose) => boolean;

/** A server whose address is in a secret file, not in the environment. */
const SERVER_IN_SECRET: Readonly<Record<string, string>> = { database_url: 'postgres' };

export const RULES = {
  'its image has an exact version': ({ image = '', build }) =>
    build ? image.includes(':${ANNEAL_VERSION:-') : /:(v?\d+\.\d+[\w.-]*|RELEASE\.\d{4}-[\w.-]+)$/.test(image),
  'it has a health check': ({ healthcheck }) => (healthcheck?.test?.length ?? 0) > 1,
  'its processor and memory are limited': ({ deploy }) =>
    deploy?.resources?.limits?.cpus !== undefined && deploy.resources.limits.memory !== undefined,
  'it names a user other than root': ({ user = 'root' }) => !/^(root|0)(:|$)/.test(user),
  'its root file system is read-only': ({ read_only }) => read_only === true,
  'it has no capabilities and gets none': ({ cap_drop, security_opt }) =>
    cap_drop?.includes('ALL') === true && security_opt?.includes('no-new-privileges:true') === true,
  'its secrets are files': ({ environment = {} }) => Object.entries(environment).every(isNoSecret),
  'its networks, volumes and secrets are declared': (service, _, compose) =>
    isWithin(networksOf(service), compose.networks) &&
    isWithin(namedVolumes(service), compose.volumes) &&
    isWithin(service.secrets, compose.secrets),
  'it shares a network with each server it is told of': (service, name, compose) =>
    serversOf(service, name, compose).every((server) =>
      networksOf(compose.services[server]!).some((network) => networksOf(service).includes(network)),
    ),
  'it waits for the health of each server it is told of': (service, name, compose) =>
    serversOf(service, name, compose).every((server) => waitsFor(name, server, compose)),
  'its ports are open to this machine only': ({ ports = [] }) => ports.every((port) => port.startsWith('127.0.0.1:')),
} as const satisfies Record<string, Rule>;

/** One line for each service that breaks a rule, and for each exception that is not needed. */
export function brokenRules(compose: Compose, exceptions: Exceptions): string[] {
  return (Object.keys(RULES) as RuleName[]).flatMap((rule) => {
    const excepted = exceptions[rule] ?? {};
    const broken = Object.keys(compose.services).filter((name) => !RULES[rule](compose.services[name]!, name, compose));
    return [
      ...broken.filter((name) => !(name in excepted)).map((name) => `${name}: not so that ${rule}`),
      ...Object.keys(excepted)
        .filter((name) => !broken.includes(name))
        .map((name) => `${name}: needs no exception from '${rule}'`),
    ];
  });
}

const networksOf = ({ networks = [] }: Service) => namesOf({ networks });

const isWithin = (names: readonly string[] = [], declared: object = {}) => names.every((name) => name in declared);

const namedVolumes = ({ volumes = [] }: Service) =>
  volumes.filter((volume) => /^\w/.test(volume)).map((volume) => volume.split(':')[0]!);

/** A variable that holds a secret by its name is empty, or is empty unless the operator sets it. */
function isNoSecret([name, value]: [string, string | number | null]): boolean {
  const text = String(value ?? '');
  if (/:\/\/[^/@]+:[^/@]+@/.test(text)) return false;
  return !/PASSWORD|SECRET|TOKEN|KEY/.test(name) || name.endsWith('_FILE') || /^(\$\{\w+:-\})?$/.test(text);
}

/** Services whose host name is in the environment. */
function serversOf(service: Service, self: string, { services }: Compose): string[] {
  const values = Object.values(service.environment ?? {}).map((value) => String(value ?? ''));
  const secret = (service.secrets ?? []).map((name) => SERVER_IN_SECRET[name]);
  return Object.keys(services).filter((name) => {
    const isNamed = new RegExp(`(^|[\\s/@])${name}(:\\d|/|$)`);
    return name !== self && (secret.includes(name) || values.some((value) => isNamed.test(value)));
  });
}

/** By itself, or because something that it waits for does. */
function waitsFor(name: string, server: string, compose: Compose): boolean {
  return Object.entries(compose.services[name]?.depends_on ?? {}).some(
    ([other, { condition }]) =>
      (other === server && (condition === 'service_healthy' || !compose.services[server]!.healthcheck)) ||
      waitsFor(other, server, compose),
  );
}
