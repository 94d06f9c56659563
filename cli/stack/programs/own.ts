import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { answersAt, bareEnvironment, urlAsked, type Prepare } from '../native-program.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..');
const run = promisify(execFile);

/** One of Anneal's own images: `node <main>` in this repository, with the environment of the Compose file and no more. */
export const prepareOwn: Prepare = (replica) => {
  const env = { ...bareEnvironment(), ...replica.environment };
  const url = urlAsked(replica);
  const check = replica.healthcheck?.slice(2) ?? [];
  const healthy = async () => {
    // A look that costs nothing first: the check itself is a process.
    if (url === undefined || !(await answersAt(url)())) return false;
    await run(process.execPath, check, { cwd: PROJECT, env });
    return true;
  };
  return Promise.resolve({ command: process.execPath, args: replica.command.slice(1), env, cwd: PROJECT, healthy });
};
