import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { brokenRules, type Compose, type Exceptions, type RuleName, RULES, type Service } from './compose-rules.ts';
import images from '../../deploy/images.json' with { type: 'json' };
// Of the module github.com/compose-spec/compose-go (Apache-2.0), unchanged: Docker Compose checks with the same.
import specification from './compose-spec.json' with { type: 'json' };

const root = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services);

const EXCEPTIONS: Exceptions = {
  'it has a health check': { migrate: 'it runs once and ends' },
  'it names a user other than root': {
    gateway: 'the image runs as nginx (101)',
    temporal: 'the image runs as temporal (1000)',
    'temporal-ui': 'the image runs as temporal (5000)',
    jaeger: 'the image runs as 10001',
    prometheus: 'the image runs as nobody (65534)',
    grafana: 'the image runs as grafana (472)',
    'otel-collector': "the log files of Docker's containers can be read by root only",
  },
  'its root file system is read-only': {
    temporal: 'it writes its configuration when it starts',
    'temporal-ui': 'it writes its configuration when it starts',
  },
  'its ports are open to this machine only': { gateway: 'it is the door for everyone' },
};

test('docker-compose.yml follows the Compose specification and the rules of this project', () => {
  expect(specificationErrors(compose)).toEqual([]);
  expect(brokenRules(compose, EXCEPTIONS)).toEqual([]);
});

test('what the specification does not know is found', () => {
  expect(specificationErrors(withWeb({ imagee: 'x' }))).not.toEqual([]);
  expect(specificationErrors(withWeb({ depends_on: { database: { condition: 'service_ready' } } }))).not.toEqual([]);
  expect(specificationErrors(withWeb({ cap_drop: 'ALL' }))).not.toEqual([]);
});

const database: Service = {
  image: 'example/database:1.2.3',
  user: '1000:1000',
  read_only: true,
  cap_drop: ['ALL'],
  security_opt: ['no-new-privileges:true'],
  healthcheck: { test: ['CMD', 'true'] },
  networks: ['inside'],
  volumes: ['data:/data', './configuration:/configuration:ro'],
  secrets: ['password'],
  ports: ['127.0.0.1:5432:5432'],
  deploy: { resources: { limits: { cpus: '1', memory: '64M' } } },
};
const web: Service = {
  ...database,
  environment: {
    DATABASE: 'postgres://database:5432/web',
    PASSWORD_FILE: '/run/secrets/password',
    TOKEN: '${TOKEN:-}',
  },
  depends_on: { database: { condition: 'service_healthy' } },
};
const withWeb = (change: object): Compose => ({
  services: { web: { ...web, ...change }, database },
  ...{ networks: { inside: {}, other: {} }, volumes: { data: {} }, secrets: { password: {} } },
});

const BREAKS: Record<RuleName, object[]> = {
  'its image has an exact version': [
    { image: 'example/web' },
    { image: 'example/web:latest' },
    { image: 'example/web:1' },
    { image: 'example/web:1.2.3', build: { target: 'web' } },
  ],
  'it has a health check': [{ healthcheck: undefined }, { healthcheck: { test: ['NONE'] } }],
  'its processor and memory are limited': [
    { deploy: undefined },
    { deploy: { resources: { limits: { cpus: '1' } } } },
    { deploy: { resources: { limits: { memory: '64M' } } } },
  ],
  'it names a user other than root': [{ user: undefined }, { user: 'root' }, { user: '0:1000' }],
  'its root file system is read-only': [{ read_only: undefined }, { read_only: false }],
  'it has no capabilities and gets none': [{ cap_drop: undefined }, { cap_drop: ['CHOWN'] }, { security_opt: [] }],
  'its secrets are files': [
    { environment: { ADMIN_PASSWORD: 'hunter2' } },
    { environment: { ADMIN_PASSWORD: '${ADMIN_PASSWORD:-hunter2}' } },
    { environment: { URL: 'postgres://anneal:hunter2@elsewhere:5432/web' } },
  ],
  'its networks, volumes and secrets are declared': [
    { networks: ['inside', 'unknown'] },
    { volumes: ['unknown:/data'] },
    { secrets: ['unknown'] },
  ],
  'it shares a network with each server it is told of': [{ networks: ['other'] }, { networks: undefined }],
  'it waits for the health of each server it is told of': [
    { depends_on: undefined },
    { depends_on: { database: { condition: 'service_started' } } },
  ],
  'its ports are open to this machine only': [{ ports: ['80:80'] }],
};

test.each(Object.keys(RULES) as RuleName[])('a service that breaks "%s" is found', (rule) => {
  expect(brokenRules(withWeb({}), {})).toEqual([]);
  for (const change of BREAKS[rule]) {
    expect(brokenRules(withWeb(change), {})).toEqual([`web: not so that ${rule}`]);
    expect(brokenRules(withWeb(change), { [rule]: { web: 'a reason' } })).toEqual([]);
  }
  expect(brokenRules(withWeb({}), { [rule]: { web: 'a reason' } })).toHaveLength(1);
});

test('a service waits for a server also through others, and for the one that its secret file names', () => {
  const { postgres, migrate, job } = {
    postgres: database,
    migrate: { ...database, depends_on: { postgres: { condition: 'service_healthy' } } },
    job: {
      ...database,
      secrets: ['database_url'],
      depends_on: { migrate: { condition: 'service_completed_successfully' } },
    },
  };
  const declared = { networks: { inside: {} }, volumes: { data: {} }, secrets: { password: {}, database_url: {} } };
  expect(brokenRules({ services: { postgres, migrate, job }, ...declared }, {})).toEqual([]);
  expect(brokenRules({ services: { postgres, migrate, job: { ...job, depends_on: {} } }, ...declared }, {})).toEqual([
    'job: not so that it waits for the health of each server it is told of',
  ]);
});

test('every variable that docker-compose.yml takes from outside is explained in .env.example', () => {
  const explained = namesIn(readFileSync(join(root, '.env.example'), 'utf8'), /^#?([A-Z][A-Z0-9_]*)=/gm);
  const taken = namesIn(text, /(?<!\$)\$\{([A-Z][A-Z0-9_]*)/g);
  expect(taken.length).toBeGreaterThan(0);
  expect(taken.filter((name) => !explained.includes(name))).toEqual([]);
});

test('every file of the repository that a service mounts is there', () => {
  const mounted = services.flatMap(([, { volumes = [] }]) => volumes.filter((volume) => volume.startsWith('./')));
  expect(mounted.length).toBeGreaterThan(0);
  expect(mounted.map((volume) => volume.split(':')[0]!).filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("every image of ours runs a program of its target, and checks its health with the image's own program", () => {
  const ours = services.filter(([, { build }]) => build);
  expect(new Set(ours.map(([, { build }]) => build!.target))).toEqual(new Set(Object.keys(images)));
  for (const [, { build, command, healthcheck }] of ours) {
    const { main } = images[build!.target as keyof typeof images];
    expect(command?.slice(0, 1)).toEqual(['node']);
    expect(main).toContain(command![1]);
    if (healthcheck) expect(healthcheck.test?.slice(0, 3)).toEqual(['CMD', 'node', 'deploy/healthcheck.ts']);
  }
});

function specificationErrors(file: object): string[] {
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(specification);
  return validate(file) ? [] : validate.errors!.map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const namesIn = (text: string, pattern: RegExp) => [...new Set([...text.matchAll(pattern)].map(([, name]) => name!))];
