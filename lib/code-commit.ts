import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Commit of the code that runs: CODE_COMMIT (set where there is no checkout, as in an image), else git's HEAD. */
export async function codeCommit(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (env.CODE_COMMIT) return env.CODE_COMMIT;
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname });
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}
