import { parse } from 'yaml';
import { z } from 'zod';
import { PlatformError } from '../../lib/errors.ts';
import { interpolate } from './interpolation.ts';

const seconds = z
  .string()
  .regex(/^\d+s$/, 'seconds, as 20s')
  .transform((text) => Number.parseInt(text, 10));
const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully']);

/** What starting a service without containers needs to know; of the rest of the file nothing. */
const Service = z.object({
  image: z.string(),
  command: z.array(z.string()).default([]),
  environment: z.record(z.string(), scalar).default({}),
  secrets: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  tmpfs: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  stop_grace_period: seconds.default(10),
  deploy: z.object({ replicas: z.number().int().min(0).default(1) }).default({ replicas: 1 }),
});
const Network = z
  .object({ ipam: z.object({ config: z.array(z.object({ subnet: z.string().optional() })).default([]) }).optional() })
  .nullable();
const ComposeFile = z.object({
  services: z.record(z.string(), Service),
  secrets: z.record(z.string(), z.object({ file: z.string() })).default({}),
  networks: z.record(z.string(), Network).default({}),
});

export type ComposeService = z.output<typeof Service>;
export type ComposeFile = z.output<typeof ComposeFile>;

/** Reads a Compose file: anchors and merge keys, and variables from `env`. Throws INVALID with the place of each mistake. */
export function readComposeFile(text: string, env: Readonly<Record<string, string | undefined>>): ComposeFile {
  const parsed = ComposeFile.safeParse(interpolate<unknown>(parse(text, { merge: true }), env));
  if (!parsed.success)
    throw new PlatformError('INVALID', `the Compose file cannot be started:\n${z.prettifyError(parsed.error)}`);
  const { services } = parsed.data;
  for (const [name, { depends_on: dependsOn }] of Object.entries(services)) {
    const unknown = Object.keys(dependsOn).find((other) => !(other in services));
    if (unknown)
      throw new PlatformError('INVALID', `service '${name}' depends on '${unknown}', which is not in the file`);
  }
  return parsed.data;
}

/** The services that these profiles start: those that name one of them, or none. */
export const servicesOf = ({ services }: ComposeFile, profiles: readonly string[]): string[] =>
  Object.entries(services)
    .filter(([, { profiles: own }]) => own.length === 0 || own.some((profile) => profiles.includes(profile)))
    .map(([name]) => name);
