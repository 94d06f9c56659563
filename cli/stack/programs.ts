import type { Prepare } from './native-program.ts';
import { prepareGateway } from './programs/gateway.ts';
import { prepareMinio } from './programs/minio.ts';
import { prepareCollector, prepareNodeExporter, preparePrometheus } from './programs/monitoring.ts';
import { prepareOwn } from './programs/own.ts';
import { preparePostgresServer } from './programs/postgres.ts';
import { prepareTemporal, prepareTemporalUi } from './programs/temporal.ts';

const PROGRAMS: Readonly<Record<string, Prepare>> = {
  'anneal-api': prepareOwn,
  'anneal-serving': prepareOwn,
  'anneal-worker': prepareOwn,
  'anneal-migrate': prepareOwn,
  postgres: preparePostgresServer,
  'temporalio/auto-setup': prepareTemporal,
  'temporalio/ui': prepareTemporalUi,
  'minio/minio': prepareMinio,
  'nginxinc/nginx-unprivileged': prepareGateway,
  'prom/prometheus': preparePrometheus,
  'prom/node-exporter': prepareNodeExporter,
  'otel/opentelemetry-collector-contrib': prepareCollector,
};

/** What runs natively in the place of an image. */
export const programFor = (image: string): Prepare =>
  PROGRAMS[image.split(':')[0]!] ??
  (() => Promise.resolve({ reason: `there is no program for ${image} without containers` }));
