import { readFile, writeFile } from 'node:fs/promises';
import { onPath } from '../../../lib/go-install.ts';
import { collectorProgram } from '../../../lib/otel-collector.ts';
import { answerDns } from '../dns-answers.ts';
import { asWritten, type Prepare } from '../native-program.ts';

const CONFIGURATION = '/etc/prometheus/prometheus.yml';
const COLLECTOR_HEALTH_PORT = 13_133;

export const preparePrometheus: Prepare = async (replica) => {
  const program = onPath('prometheus');
  if (program === undefined) return { reason: 'it is not installed (apt-get install prometheus)' };
  const file = replica.places.paths.get(CONFIGURATION)!;
  await writeFile(file, answerDns(await readFile(file, 'utf8'), replica.places.hosts));
  return asWritten(program, replica);
};

export const prepareNodeExporter: Prepare = (replica) => {
  const program = onPath('prometheus-node-exporter') ?? onPath('node_exporter');
  const reason = 'it is not installed (apt-get install prometheus-node-exporter)';
  return Promise.resolve(program === undefined ? { reason } : asWritten(program, replica));
};

/** Its check in the file needs the image's own program, so its health is asked where that asks it. */
export const prepareCollector: Prepare = (replica) => {
  const program = collectorProgram();
  const reason = 'it is not installed; the tests build it, as monitoring/otel/builder.yaml says';
  const url = `http://${replica.address}:${COLLECTOR_HEALTH_PORT}`;
  return Promise.resolve(program === undefined ? { reason } : asWritten(program, replica, url));
};
