import { readFile, writeFile } from 'node:fs/promises';
import { onPath } from '../../../lib/go-install.ts';
import { collectorProgram } from '../../../lib/otel-collector.ts';
import { answerDns } from '../dns-answers.ts';
import { answersAt, bareEnvironment, urlAsked, type Prepare } from '../native-program.ts';

const CONFIGURATION = '/etc/prometheus/prometheus.yml';
const COLLECTOR_HEALTH_PORT = 13_133;

export const preparePrometheus: Prepare = async (replica) => {
  const program = onPath('prometheus');
  if (program === undefined) return { reason: 'it is not installed (apt-get install prometheus)' };
  const file = replica.places.paths.get(CONFIGURATION)!;
  await writeFile(file, answerDns(await readFile(file, 'utf8'), replica.places.hosts));
  return {
    command: program,
    args: replica.command,
    env: bareEnvironment(),
    healthy: answersAt(urlAsked(replica)!),
  };
};

export const prepareNodeExporter: Prepare = (replica) => {
  const program = onPath('prometheus-node-exporter') ?? onPath('node_exporter');
  if (program === undefined)
    return Promise.resolve({ reason: 'it is not installed (apt-get install prometheus-node-exporter)' });
  return Promise.resolve({
    command: program,
    args: replica.command,
    env: bareEnvironment(),
    healthy: answersAt(urlAsked(replica)!),
  });
};

export const prepareCollector: Prepare = (replica) => {
  const program = collectorProgram();
  if (program === undefined)
    return Promise.resolve({ reason: 'it is not installed; the tests build it, as monitoring/otel/builder.yaml says' });
  return Promise.resolve({
    command: program,
    args: replica.command,
    env: { ...bareEnvironment(), ...replica.environment },
    healthy: answersAt(`http://${replica.address}:${COLLECTOR_HEALTH_PORT}`),
  });
};
