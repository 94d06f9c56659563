import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { servicesDoc } from '../../scripts/services-doc/services-doc.ts';
import { servicesPage } from '../../scripts/services-doc/services-page.ts';

const root = join(import.meta.dirname, '..', '..');

test('docs/services.md is what its sources say (node scripts/services-doc.ts writes it)', async () => {
  expect(readFileSync(join(root, 'docs/services.md'), 'utf8')).toBe(await servicesDoc(root));
});

test('a service is described with its defaults, what it waits for and the size of its image', () => {
  const compose = `
services:
  db: &db
    image: postgres:18.1
    environment: { POSTGRES_DB: anneal, POSTGRES_USER: anneal }
    networks: [inside]
    labels: { anneal.scales: one }
    deploy: { resources: { limits: { cpus: '2', memory: 1G } } }
  db-2: { <<: *db, profiles: [full] }
  app:
    image: app:dev
    build: { context: ., target: app }
    command: [node, app.ts]
    ports: ['127.0.0.1:\${APP_PORT:-8000}:8000']
    networks: [inside, outside]
    depends_on: { db: { condition: service_healthy } }
    healthcheck: { test: [CMD, sh, -c, 'a || b'] }
    labels: { anneal.scales: --scale app=2 }
    deploy: { resources: { limits: { cpus: '0.5', memory: 64M } } }`;
  const sizes = { platform: 'linux/x64', targets: { app: { node_modules_bytes: 12_340_000, source_bytes: 560_000 } } };
  const page = servicesPage(compose, sizes);
  for (const said of [
    '| `db` | `postgres:18.1` | – | none | – | inside | one | 2 CPU, 1G | – |',
    '| `db-2` (full) | `postgres:18.1` |',
    '| `app` | `node app.ts` | `127.0.0.1:8000:8000` | `sh -c a \\|\\| b` | `db` healthy | inside, outside | --scale app=2 | 0.5 CPU, 64M | 12.3 MB packages + 0.6 MB Anneal |',
    '- **db, db-2**: `POSTGRES_DB`, `POSTGRES_USER`\n',
  ])
    expect(page).toContain(said);
});
