import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readComposeFile } from '../../../cli/stack/compose-file.ts';
import { planStack, type PlannedService } from '../../../cli/stack/plan.ts';

const PROJECT = '/project';
const OWN = new URL('../../../docker-compose.yml', import.meta.url);

const planOf = (text: string, profiles: readonly string[] = [], env = {}) =>
  planStack(readComposeFile(text, env), { profiles, project: PROJECT, folder: '/stack', network: '127.80.3' });
const own = (profiles: readonly string[] = [], env = {}) => planOf(readFileSync(OWN, 'utf8'), profiles, env);
const replicaOf = (plan: readonly PlannedService[], name: string) => {
  const replica = plan.flatMap(({ replicas }) => replicas).find((each) => each.name === name);
  if (replica === undefined) throw new Error(`no replica '${name}'`);
  return replica;
};

test('every service of docker-compose.yml has an address of its own and comes after those it depends on', () => {
  const plan = own(['full']);
  const addresses = plan.flatMap(({ replicas }) => replicas.map(({ address }) => address));
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(addresses.every((address) => /^127\.80\.3\.\d+$/.test(address))).toBe(true);
  const names = plan.map(({ name }) => name);
  for (const { name, dependsOn } of plan)
    for (const other of dependsOn)
      expect(names.indexOf(other), `${other} before ${name}`).toBeLessThan(names.indexOf(name));
  expect(plan.filter(({ runsOnce }) => runsOnce).map(({ name }) => name)).toEqual(['migrate']);
});

test('no name, address or path of a container is left in what our own services are told', () => {
  const plan = own(['full'], { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel-collector:4318' });
  const names = plan.map(({ name }) => name).join('|');
  const ours = plan.flatMap(({ replicas }) => replicas).filter(({ image }) => image.startsWith('anneal-'));
  expect(ours.length).toBeGreaterThan(6);
  for (const { name, environment, healthcheck, command } of ours) {
    const told = [...Object.values(environment), ...(healthcheck ?? []), ...command];
    expect(
      told.filter((text) => new RegExp(`\\b(${names}):\\d|0\\.0\\.0\\.0|127\\.0\\.0\\.1|10\\.88`).test(text)),
      name,
    ).toEqual([]);
    expect(
      told.filter((text) => /^\/(var|run|tmp)/.test(text)),
      name,
    ).toEqual([]);
  }
});

test('a service listens on its own address, keeps its port and finds its secrets and its home', () => {
  const plan = own();
  const { address, environment, healthcheck, root } = replicaOf(plan, 'serving-2');
  expect(environment).toMatchObject({
    SERVING_HOST: address,
    SERVING_PORT: '8100',
    DATABASE_URL_FILE: `${root}/run/secrets/database_url`,
    S3_ENDPOINT: `http://${replicaOf(plan, 'minio').address}:9000`,
    ANNEAL_HOME: '/stack/volumes/serving-2-home',
    TRUSTED_PROXIES: '127.0.0.0/8',
  });
  expect(healthcheck?.at(-1)).toBe(`http://${address}:8100/livez`);
  expect(replicaOf(plan, 'api').environment['TEMPORAL_UI_URL']).toMatch(/^http:\/\/127\.80\.3\.\d+:8080$/);
});

const SMALL = `
services:
  worker:
    image: worker
    deploy: { replicas: 2 }
    volumes: ['/scratch', 'shared:/kept', './conf:/etc/conf:ro', '/:/host:ro']
    environment: { DB: 'db:5432', SELF: '0.0.0.0', SCRATCH: /scratch/x, KEPT: /kept, CONF: /etc/conf/a.yml, ROOT: /host }
    depends_on: { once: { condition: service_completed_successfully } }
  once: { image: once, depends_on: { db: { condition: service_healthy } } }
  db: { image: db, secrets: [key], ports: ['127.0.0.1:15432:5432', '80:8080'], tmpfs: ['/tmp:size=1m'] }
secrets: { key: { file: ./secrets/key } }
`;

test('replicas share what the service names, and have an address and folders of their own', () => {
  const plan = planOf(SMALL);
  expect(plan.map(({ name, runsOnce }) => [name, runsOnce])).toEqual([
    ['db', false],
    ['once', true],
    ['worker', false],
  ]);
  const [first, second] = [replicaOf(plan, 'worker-1'), replicaOf(plan, 'worker-2')];
  expect([first.environment['SELF'], second.environment['SELF']]).toEqual(['127.80.3.2', '127.80.3.3']);
  expect([first.environment['SCRATCH'], second.environment['SCRATCH']]).toEqual([
    '/stack/containers/worker-1/scratch/x',
    '/stack/containers/worker-2/scratch/x',
  ]);
  expect(second.environment).toMatchObject({
    DB: '127.80.3.5:5432',
    KEPT: '/stack/volumes/shared',
    CONF: '/stack/containers/worker-2/etc/conf/a.yml',
    ROOT: '/',
  });
  expect(second.mounts.copies).toEqual([{ from: '/project/conf', to: '/stack/containers/worker-2/etc/conf' }]);
});

test('secrets are copied, and published ports are offered at the own address', () => {
  const db = replicaOf(planOf(SMALL), 'db');
  expect(db.mounts.copies).toEqual([{ from: '/project/secrets/key', to: '/stack/containers/db/run/secrets/key' }]);
  expect(db.mounts.folders).toEqual(['/stack/containers/db/tmp']);
  expect(db.offers).toEqual([`${db.address}:5432`, `${db.address}:8080`]);
});

test('services that wait for each other, or for one that no profile starts, are refused', () => {
  const waits = (name: string, other: string, more = '') =>
    `  ${name}: { image: x, depends_on: { ${other}: { condition: service_healthy } }${more} }`;
  expect(() => planOf(['services:', waits('a', 'b'), waits('b', 'a')].join('\n'))).toThrow('a → b → a');
  expect(() => planOf(['services:', waits('a', 'b'), '  b: { image: x, profiles: [full] }'].join('\n'))).toThrow(
    "'a' depends on 'b', which no chosen profile starts",
  );
});
