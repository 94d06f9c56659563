import { readFile } from 'node:fs/promises';
import { endOrphan, ensureDatabase, preparePostgres } from '../../../lib/postgres-cluster.ts';
import type { Prepare } from '../native-program.ts';

const PORT = 5432;
const DATA = '/var/lib/postgresql';

/** Postgres as its image starts it: the user, password and database of the environment are made with the cluster. */
export const preparePostgresServer: Prepare = async ({ address, environment, places }) => {
  const { POSTGRES_USER: user = 'postgres', POSTGRES_DB: database = user, POSTGRES_PASSWORD_FILE: file } = environment;
  const password = (await readFile(file!, 'utf8')).trim();
  const folder = places.paths.get(DATA)!;
  await endOrphan(folder);
  const program = await preparePostgres({ folder, host: address, port: PORT, user, password, durable: true });
  const url = new URL(`postgres://${address}:${PORT}/${database}`);
  url.username = user;
  url.password = password;
  return { ...program, healthy: () => ensureDatabase(url.href) };
};
