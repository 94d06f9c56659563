import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { claimPort } from '../../../lib/ports.ts';
import { findTemporal, temporalAnswers, temporalArguments } from '../../../lib/temporal-server.ts';
import { forward } from '../forward.ts';
import { answersAt, bareEnvironment, urlAsked, type Prepare } from '../native-program.ts';

const PORT = 7233;
const UI_SERVICE = 'temporal-ui';
const UI_PORT = 8080;

/**
 * The development server, for the program that can be had knows no Postgres: it keeps what it runs in SQLite. Its parts
 * find each other on 127.0.0.1 only, so the service's own address leads there.
 */
export const prepareTemporal: Prepare = async ({ service, address, places, volumes }, { report, defer }) => {
  const program = await findTemporal({ progress: report });
  const folder = join(volumes, service);
  await mkdir(folder, { recursive: true });
  const server = { host: '127.0.0.1', port: await claimPort(0, 'TEMPORAL_PORT') };
  const ui = { host: places.hosts.get(UI_SERVICE)?.[0] ?? address, port: UI_PORT };
  defer(await forward({ host: address, port: PORT }, server));
  return {
    command: program,
    args: temporalArguments(join(folder, 'temporal.db'), server, ui),
    env: bareEnvironment(),
    healthy: () => temporalAnswers(`${address}:${PORT}`),
  };
};

/** The development server has the Web UI too. */
export const prepareTemporalUi: Prepare = (replica) =>
  Promise.resolve({ partOf: 'temporal', healthy: answersAt(urlAsked(replica)!) });
