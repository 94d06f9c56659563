import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonVenv } from '../scripts/python-venv.ts';

const REQUIREMENTS = fileURLToPath(new URL('./peers/requirements.txt', import.meta.url));

/** Runs a script of test/peers in the pinned Python and answers the JSON it prints. */
export async function runPeer(script: string, args: readonly string[]): Promise<unknown> {
  const python = await pythonVenv(REQUIREMENTS);
  const path = fileURLToPath(new URL(`./peers/${script}`, import.meta.url));
  const { stdout } = await promisify(execFile)(python, [path, ...args], { maxBuffer: 256 * 1024 * 1024 });
  return JSON.parse(stdout);
}
