import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadConfig } from '../lib/config.ts';
import { PlatformError } from '../lib/errors.ts';
import { exitOnSignal } from '../lib/shutdown.ts';
import { clientCommands } from './client-commands.ts';
import type { DemoUrls } from './demo.ts';
import { openSession } from './open-session.ts';
import type { Admin } from './secrets.ts';
import { tokenFor } from './session.ts';
import type { Platform } from './up.ts';

// A command loads what it needs when it is asked for: all of it takes a second and 200 MB.

const HELP = `anneal <command>

  up                start everything on this machine: servers, api, serving, workers
  demo [--drift] [--exit]
                    up, unless ANNEAL_URL names a platform, then train and serve a churn model through the REST API;
                    --drift: then let customers change until a new version is trained; --exit stops at the end
  stack             start the services of docker-compose.yml as processes of this machine; COMPOSE_PROFILES=full: all of them
  api               only the control plane
  serving [--processes <n>]
                    only the data plane, on so many cores (default: SERVING_PROCESSES, else all)
  worker <role>     only one worker: pipeline, training or monitoring
  apply <file.ts>   save the pipelines that a TypeScript file exports, through the API
  token             print an access token of this machine's administrator, for curl
  health [--json]   whether every service is ready; exits with 1 when one is not
  pipelines [--json]
                    the pipelines there are
  models [--json]   every version of every model
  models latest [<model>] [--json]
                    the version that was deployed last
  predict [<endpoint>] [--row <json>]
                    one prediction, of a row or of the example that came with the model
  logs <service> [--follow] [--json]
                    the end of the log of a service that this machine runs
  down              stop what \`up\` or \`stack\` started in another terminal
  secrets [<folder>]
                    write the secrets that docker-compose.yml asks for and that are not there yet
  audit verify [--expect <sequence>:<sha256>]
                    check the chain of the audit log; --expect: that a row kept elsewhere is still in it
  drift check --reference <a.parquet> --current <b.parquet> | --endpoint <name> [--since 24h]
              [--suite <suite.json>] [--json] [--html <file>]
                    compare two tables, or what an endpoint was asked with its reference; exits with 1 when a test fails
  sample <pipeline> [rows] [seed]
                    sample data of a ready pipeline as CSV: churn, credit-default or battle

Configuration comes from the environment; .env.example lists every variable.`;

const say = (line: string) => console.log(line);
const commands: Record<string, (args: readonly string[]) => Promise<void>> = {
  up: async () => {
    const platform = await bringUp();
    sayUrls(platform);
    say('\nCtrl-C stops it.');
  },
  demo: async (args) => {
    const config = loadConfig();
    const { TEMPORAL_NAMESPACE: namespace, TEMPORAL_UI_URL: temporalUi = null } = config;
    if (config.ANNEAL_URL !== undefined) {
      const { urls, token } = await openSession();
      return await showDemo({ ...urls, temporalUi, namespace }, token, args);
    }
    const platform = await bringUp();
    try {
      const token = await tokenFor(config, platform.urls.api);
      await showDemo({ ...platform.urls, namespace }, token, args);
    } catch (error) {
      await platform.stop();
      throw error;
    }
    if (!args.includes('--exit'))
      return say(`Log in as          ${logInAs(platform.admin)}\n\nThe platform stays up. Ctrl-C stops it.`);
    process.exit((await platform.stop()) ? 0 : 1);
  },
  stack: async () => (await import('./stack/command.ts')).runStack(say),
  api: () => runMain('api/main.ts'),
  serving: (args) => runMain('serving/cluster/main.ts', ...args),
  worker: (args) => runMain('workers/main.ts', ...args),
  apply: async ([file = '']) => {
    const { applyPipelines } = await import('./apply.ts');
    const { urls, token } = await openSession();
    for (const { name, version } of await applyPipelines(file, urls.api, token))
      say(`${name} is at version ${version}`);
  },
  token: async () => say((await openSession()).token),
  audit: async (args) => {
    const { verifyAudit } = await import('./audit.ts');
    say(await verifyAudit(loadConfig(), args));
  },
  drift: async (args) => {
    const { driftCheck, endpointDrift } = await import('./drift-check.ts');
    process.exitCode = await driftCheck(args, {
      say,
      endpointDrift: async (...of) => await endpointDrift((await openSession()).api, ...of),
    }).catch((error: unknown) => explain(error, 2));
  },
  sample: async (args) => (await import('./sample.ts')).writeSample(args),
  ...clientCommands,
  help: () => Promise.resolve(say(HELP)),
};

const [name = 'help', ...args] = process.argv.slice(2);
const wanted = name.replace(/^-+/, '');
const command = Object.hasOwn(commands, wanted) ? commands[wanted] : undefined;
if (command) await command(args).catch((error: unknown) => explain(error));
else {
  console.error(`anneal: no command '${name}'\n\n${HELP}`);
  process.exitCode = 2;
}

async function bringUp(): Promise<Platform> {
  const config = loadConfig();
  let platform: Platform | undefined;
  const { startPlatform } = await import('./up.ts');
  // A signal during the start stops what is already there as soon as the start is over.
  let asked = false;
  const starting = startPlatform(config, { report: (line) => console.error(line) });
  exitOnSignal({
    run: async () => {
      asked = true;
      console.error('stopping …');
      platform ??= await starting.catch(() => undefined);
      return (await platform?.stop()) ?? false;
    },
  });
  platform = await starting;
  if (asked) await new Promise(() => {}); // the signal handler ends the process
  return platform;
}

async function showDemo(urls: DemoUrls, token: string, args: readonly string[]): Promise<void> {
  const { runDemo } = await import('./demo.ts');
  await runDemo(urls, token);
  if (!args.includes('--drift')) return;
  const { runDriftDemo } = await import('./drift-demo.ts');
  await runDriftDemo(urls, token);
}

function sayUrls({ urls, admin }: Platform): void {
  say(`\nAnneal is up.\n  API          ${urls.api}\n  API docs     ${urls.docs}\n  Predictions  ${urls.serving}`);
  if (urls.temporalUi) say(`  Temporal UI  ${urls.temporalUi}`);
  say(`  Log in as    ${logInAs(admin)}`);
}

/** The password only at the start that made it; later just where it is. */
function logInAs({ username, password, passwordFile, isNew }: Admin): string {
  if (passwordFile === null) return username;
  const file = relative('.', passwordFile);
  return isNew ? `${username}, password ${password} (kept in ${file})` : `${username}, password in ${file}`;
}

async function runMain(main: string, ...args: string[]): Promise<void> {
  const path = join(import.meta.dirname, '..', main);
  process.argv.splice(1, Infinity, path, ...args);
  await import(pathToFileURL(path).href);
}

function explain(error: unknown, exitCode = 1): never {
  console.error(error instanceof PlatformError ? `anneal: ${error.message}` : error);
  process.exit(exitCode);
}
