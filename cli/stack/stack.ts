import { randomInt } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PlatformError } from '../../lib/errors.ts';
import { lockHome } from '../home-lock.ts';
import { readComposeFile } from './compose-file.ts';
import { requireFiles } from './container-files.ts';
import { startInOrder, stopInOrder } from './dependency-order.ts';
import { planStack, type PlannedService } from './plan.ts';
import { startReplica, type Outcome } from './start-replica.ts';

export interface StackOptions {
  /** Path of the Compose file. */
  readonly composeFile: string;
  /** What the file's variables are filled in from; COMPOSE_PROFILES chooses profiles. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of all that the stack keeps and writes. */
  readonly folder: string;
  /** Gets warnings and worse of the services, and restarts, as lines to read. */
  readonly report: (line: string) => void;
}
export interface StackService {
  readonly name: string;
  /** Of its replicas. */
  readonly addresses: readonly string[];
  /** Address and port of what the file publishes. */
  readonly offers: readonly string[];
  /** Why it does not run here; null when it does, or has done its work. */
  readonly leftOut: string | null;
}
export interface Stack {
  readonly services: readonly StackService[];
  /** Process ids by name of the replica, as they are now. */
  readonly pids: () => Record<string, number>;
  /** Stops every service after those that depend on it, once. */
  readonly stop: () => Promise<void>;
}
type Closers = (() => unknown)[];

/**
 * Starts the services of a Compose file as processes of this machine and waits until all are healthy; what ends later is
 * started again. Nothing is left running when it throws: INVALID (the file, a missing secret), CONFLICT (the folder is in
 * use), UNAVAILABLE.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  if (process.platform !== 'linux')
    throw new PlatformError('UNAVAILABLE', 'only Linux gives each service a loopback address of its own');
  const folder = resolve(options.folder);
  const plan = await planOf({ ...options, folder });
  requireFiles(plan.flatMap(({ replicas }) => replicas));
  const unlock = lockHome(folder);
  const closers = new Map<string, Closers>();
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= stopAll(plan, closers, options.report, folder).finally(unlock));
  const outcomes = startInOrder(plan, (service) => startService(service, { ...options, folder }, closers));
  try {
    await Promise.allSettled(outcomes.values()); // what is starting must have come so far that it can be stopped
    const settled = await Promise.all([...outcomes].map(async ([name, outcome]) => [name, await outcome] as const));
    return { ...describe(plan, new Map(settled)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function planOf({ composeFile, env, folder }: StackOptions): Promise<PlannedService[]> {
  return planStack(readComposeFile(await readFile(composeFile, 'utf8'), env), {
    profiles: (env['COMPOSE_PROFILES'] ?? '').split(',').filter(Boolean),
    project: resolve(dirname(composeFile)),
    folder,
    network: `127.${randomInt(64, 128)}.${randomInt(256)}`,
  });
}

async function startService(
  { replicas, runsOnce }: PlannedService,
  { folder, report }: StackOptions,
  closers: Map<string, Closers>,
): Promise<Outcome[]> {
  const starting = replicas.map((replica) => {
    const own: Closers = [];
    closers.set(replica.name, own);
    return startReplica(replica, runsOnce, { folder, report, defer: (close) => void own.push(close) });
  });
  await Promise.allSettled(starting);
  return await Promise.all(starting);
}

async function stopAll(
  plan: readonly PlannedService[],
  closers: ReadonlyMap<string, Closers>,
  report: StackOptions['report'],
  folder: string,
): Promise<void> {
  const close = async (name: string) => {
    for (const step of closers.get(name)?.toReversed() ?? [])
      try {
        await step();
      } catch (error) {
        report(`${name} did not stop as it should: ${(error as Error).message}`);
      }
  };
  const replicasOf = (name: string) => plan.find((service) => service.name === name)!.replicas;
  await stopInOrder(plan, async (name) => {
    await Promise.all(replicasOf(name).map((replica) => close(replica.name)));
  });
  await rm(join(folder, 'containers'), { recursive: true, force: true });
}

function describe(plan: readonly PlannedService[], outcomes: ReadonlyMap<string, readonly Outcome[]>) {
  const services = plan.map(({ name, replicas }) => ({
    name,
    addresses: replicas.map(({ address }) => address),
    offers: replicas.flatMap(({ offers }) => offers),
    leftOut: outcomes.get(name)!.flatMap((outcome) => ('leftOut' in outcome ? outcome.leftOut : []))[0] ?? null,
  }));
  const pids = () =>
    Object.fromEntries(
      plan.flatMap(({ name, replicas }) =>
        replicas.flatMap((replica, index): [string, number][] => {
          const outcome = outcomes.get(name)![index];
          const pid = outcome !== undefined && 'pid' in outcome ? outcome.pid() : undefined;
          return pid === undefined ? [] : [[replica.name, pid]];
        }),
      ),
    );
  return { services, pids };
}
