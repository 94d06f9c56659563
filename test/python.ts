import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonVenv } from '../scripts/python-venv.ts';

/** Runs a script of test/peers in a Python with its pinned packages and answers the JSON it prints. */
export async function runPeer(
  script: string,
  args: readonly string[],
  requirements = 'requirements.txt',
): Promise<unknown> {
  const python = await pythonVenv(peerFile(requirements));
  const path = peerFile(script);
  const { stdout } = await promisify(execFile)(python, [path, ...args], { maxBuffer: 256 * 1024 * 1024 });
  return JSON.parse(stdout);
}

const peerFile = (name: string) => fileURLToPath(new URL(`./peers/${name}`, import.meta.url));
