import { parse } from 'yaml';
import { interpolate } from '../../cli/stack/interpolation.ts';

/** A service of docker-compose.yml as far as the table shows it. */
export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  /** A list, or by name with settings. */
  readonly networks: readonly string[] | object;
  readonly profiles?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly labels: Readonly<Record<string, string>>;
  readonly deploy: { readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string } } };
}

/** The services by name, with the default of every variable. */
export const composeServices = (text: string) =>
  Object.entries(
    interpolate((parse(text, { merge: true }) as { services: Record<string, ComposeService> }).services, {}),
  );

export const networksOf = ({ networks }: Pick<ComposeService, 'networks'>): readonly string[] =>
  Array.isArray(networks) ? (networks as string[]) : Object.keys(networks);
