import { join, relative } from 'node:path';
import { loadConfig } from '../lib/config.ts';
import { PlatformError } from '../lib/errors.ts';
import { readArguments } from './arguments.ts';
import { openSession } from './open-session.ts';

const JSON_OPTION = { json: { type: 'boolean', default: false } } as const;
const say = (line: string) => console.log(line);

/** What looks at a platform that runs, or stops it. */
export const clientCommands: Record<string, (args: readonly string[]) => Promise<void>> = {
  health: async (args) => {
    const { values } = readArguments(args, { usage: 'anneal health [--json]', options: JSON_OPTION, most: 0 });
    const { healthOfServices, healthTable } = await import('./health.ts');
    const services = await healthOfServices(loadConfig());
    show(values, services, healthTable);
    if (services.some(({ state }) => state !== 'ready')) process.exitCode = 1;
  },
  pipelines: async (args) => {
    const { values } = readArguments(args, { usage: 'anneal pipelines [--json]', options: JSON_OPTION, most: 0 });
    const { listPipelines, pipelinesTable } = await import('./list-pipelines.ts');
    show(values, await listPipelines((await openSession()).api), pipelinesTable);
  },
  models: async (args) => {
    const usage = 'anneal models [--json]\n       anneal models latest [<model>] [--json]';
    const { values, positionals } = readArguments(args, { usage, options: JSON_OPTION, most: 2 });
    const [verb, model] = positionals;
    if (verb !== undefined && verb !== 'latest') throw new PlatformError('INVALID', `no '${verb}'\nusage: ${usage}`);
    const { deployedText, latestDeployed, listModels, modelsTable } = await import('./list-models.ts');
    const { api } = await openSession();
    if (verb === 'latest') show(values, await latestDeployed(api, model), deployedText);
    else show(values, await listModels(api), modelsTable);
  },
  predict: async (args) => {
    const usage = 'anneal predict [<endpoint>] [--row <json>]';
    const options = { row: { type: 'string' } } as const;
    const { values, positionals } = readArguments(args, { usage, options, most: 1 });
    const { testPrediction } = await import('./test-prediction.ts');
    const { serving } = await openSession();
    say(JSON.stringify(await testPrediction(serving, { endpoint: positionals[0], row: values.row }), null, 2));
  },
  logs: async (args) => {
    const usage = 'anneal logs <service> [--follow] [--json]';
    const options = { ...JSON_OPTION, follow: { type: 'boolean', short: 'f', default: false } } as const;
    const { values, positionals } = readArguments(args, { usage, options, most: 1 });
    const { logFileOf, logLines, printedBy, readableLog } = await import('./logs.ts');
    const file = logFileOf(loadConfig().ANNEAL_HOME, positionals[0] ?? '');
    for await (const line of logLines(file, values)) say(values.json ? printedBy(line) : readableLog(printedBy(line)));
  },
  down: async (args) => {
    readArguments(args, { usage: 'anneal down', options: {}, most: 0 });
    const home = loadConfig().ANNEAL_HOME;
    const { endPlatform } = await import('./down.ts');
    const ended = await endPlatform([home, join(home, 'stack')], (line) => console.error(line));
    say(ended === 0 ? `nothing runs on ${home}` : 'stopped');
  },
  secrets: async (args) => {
    const { positionals } = readArguments(args, { usage: 'anneal secrets [<folder>]', options: {}, most: 1 });
    const { writeComposeSecrets } = await import('./compose-secrets.ts');
    const written = writeComposeSecrets(positionals[0]);
    for (const path of written) say(`wrote ${relative('.', path)}`);
    if (written.length === 0) say('every secret is there already');
  },
};

function show<T>({ json }: { readonly json: boolean }, found: T, asText: (found: T) => string): void {
  say(json ? JSON.stringify(found, null, 2) : asText(found));
}
