import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ComposeService, readComposeFile } from '../../cli/stack/compose-file.ts';
import { cacheFolder } from '../../lib/cache-folder.ts';
import { cachedProgram, goInstall } from '../../lib/go-install.ts';
import { requireProgram } from '../programs.ts';

// The reader of Docker Compose itself, as a program; it is called `cmd`, hence a folder of its own. It takes no variables from
// outside, so what it shows are the defaults.
const MODULE = 'github.com/compose-spec/compose-go/v2/cmd@v2.16.2';
const env = { ...process.env, ANNEAL_CACHE: join(cacheFolder(), 'compose-go-v2.16.2') };
const install = () => goInstall('cmd', MODULE, { env, progress: console.error });
const path = cachedProgram('cmd', env) ?? (await install());

const text = readFileSync(join(import.meta.dirname, '..', '..', 'docker-compose.yml'), 'utf8');

/** What Compose says about a service, as far as `anneal stack` reads it. */
interface Resolved extends Pick<ComposeService, 'image' | 'depends_on' | 'healthcheck'> {
  readonly environment?: Record<string, string | null>;
  readonly command?: string[] | null;
  readonly deploy?: { readonly replicas?: number };
  readonly secrets?: { readonly source: string }[];
  readonly ports?: { readonly target: number; readonly published?: string }[];
}

requireProgram({ name: "Docker Compose's reader", path, install: `go install ${MODULE}` }, (program) => {
  function resolve(file: string) {
    const folder = mkdtempSync(join(tmpdir(), 'anneal-compose-')); // without a .env
    try {
      writeFileSync(join(folder, 'docker-compose.yml'), file);
      const options = { cwd: folder, env: {}, encoding: 'utf8' } as const;
      return spawnSync(program, ['--format', 'json', 'docker-compose.yml'], options);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  test('Docker Compose reads docker-compose.yml as `anneal stack` does', () => {
    const { stdout, stderr, status } = resolve(text);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    const { services } = JSON.parse(stdout) as { services: Record<string, Resolved> };
    const read = readComposeFile(text, {});
    const ours = Object.entries(read.services).map(([name, service]) => [name, summaryOfOurs(service)]);
    const theirs = Object.entries(services).map(([name, service]) => [name, summaryOf(service)]);
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs));
  });

  test.each([
    ['a key that is not in the specification', (file: string) => file.replace('read_only:', 'readonly:')],
    ['a condition that there is not', (file: string) => file.replace('service_healthy', 'service_ready')],
  ])('Docker Compose refuses %s', (_, change) => {
    expect(change(text)).not.toBe(text);
    expect(resolve(change(text)).status).not.toBe(0);
  });
});

function summaryOf({ image, environment, command, depends_on, healthcheck, deploy, secrets, ports }: Resolved) {
  return {
    image,
    command: command ?? [],
    environment: environment ?? {},
    secrets: (secrets ?? []).map(({ source }) => source),
    conditions: Object.entries(depends_on ?? {})
      .map(([name, { condition }]) => [name, condition])
      .sort(),
    test: healthcheck?.test,
    replicas: deploy?.replicas ?? 1,
    ports: (ports ?? []).map(({ target, published }) => `${published}:${target}`),
  };
}

function summaryOfOurs({
  image,
  environment,
  command,
  depends_on,
  healthcheck,
  deploy,
  secrets,
  ports,
}: ComposeService) {
  return {
    ...{ image, command, environment, secrets },
    conditions: Object.entries(depends_on)
      .map(([name, { condition }]) => [name, condition])
      .sort(),
    test: healthcheck?.test,
    replicas: deploy.replicas,
    ports: ports.map((port) => port.replace(/^127\.0\.0\.1:/, '')),
  };
}
