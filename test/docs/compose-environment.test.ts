import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ConfigSchema } from '../../lib/config.ts';
import { SECRET_SETTINGS } from '../../lib/secret-files.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const compose = read('docker-compose.yml');
const { services } = parse(compose, { merge: true }) as {
  services: Record<string, { build?: object; environment?: Record<string, string> }>;
};
const settings = new Set([...Object.keys(ConfigSchema.shape), ...SECRET_SETTINGS.map((name) => `${name}_FILE`)]);

test('a service of ours is given only variables that Anneal reads', () => {
  const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);
  expect(ours.length).toBeGreaterThan(5);
  const unknown = ours.flatMap(([service, { environment = {} }]) =>
    Object.keys(environment).flatMap((name) =>
      settings.has(name) || /^(OTEL|NODE)_/.test(name) ? [] : [`${service}: ${name}`],
    ),
  );
  expect(unknown).toEqual([]);
});

test('the gateway is given every variable of its templates and no other', () => {
  const names = ['nginx', 'http', 'https', 'door', 'healthz', 'problem', 'reports', 'routes'];
  const templates = names.map((name) => read(`deploy/nginx/templates/${name}.conf.template`)).join('\n');
  const used = new Set([...templates.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, name]) => name));
  const given = Object.keys(services['gateway']!.environment!).filter((name) => !name.startsWith('NGINX_'));
  expect(given.sort()).toEqual([...used].sort());
});

test('.env.example says what each variable of the compose file means, with the default it has there', () => {
  const [, section = ''] = read('.env.example').split('# --- Docker Compose');
  const said = [...section.matchAll(/^(?:# {3}([A-Z_]+):|([A-Z_]+)=) ?([^\s(]*)/gm)].map(
    ([, taken, own, value]) => [taken ?? own!, value!] as const,
  );
  const [ours] = read('.env.example').split('# --- Docker Compose');
  for (const [, taken] of section.matchAll(/^# {3}([A-Z_]+):/gm)) expect(ours).toMatch(new RegExp(`^#?${taken}=`, 'm'));
  const variables = [...compose.matchAll(/\$\{([A-Z_]+):-([^}]*)\}/g)].map(
    ([, name, value]) => [name!, value!] as const,
  );
  expect(new Map(said)).toEqual(new Map([...variables, ['COMPOSE_PROFILES', '']]));
  expect(said.length).toBe(new Set(said.map(([name]) => name)).size);
});
