import { readFileSync } from 'node:fs';
import type { ErrorDetail } from './errors.ts';

/** Settings that may lie in a file, as container platforms hand out secrets: `<NAME>_FILE` names it. */
export const SECRET_SETTINGS = [
  'DATABASE_URL',
  'JWT_SECRET_KEY',
  'ADMIN_PASSWORD',
  'S3_ACCESS_KEY',
  'S3_SECRET_KEY',
  'ALERT_WEBHOOK_SECRET',
  'ANNEAL_TOKEN',
] as const;

export interface SecretFiles {
  /** By name of the setting; what its file holds, without the space around it. */
  readonly values: Readonly<Record<string, string>>;
  /** One for each that cannot be used, naming its variable and never what is in the file. */
  readonly problems: readonly ErrorDetail[];
}

/** Reads the files that `<NAME>_FILE` variables name. Empty variables are taken for absent. */
export function readSecretFiles(env: NodeJS.ProcessEnv): SecretFiles {
  const values: Record<string, string> = {};
  const problems: ErrorDetail[] = [];
  for (const name of SECRET_SETTINGS) {
    const path = env[`${name}_FILE`];
    if (!path) continue;
    const content = env[name] ? { problem: `${name} is set too; only one may be` } : readSecret(path);
    if ('value' in content) values[name] = content.value;
    else problems.push({ path: `${name}_FILE`, rule: 'secret_file', message: content.problem });
  }
  return { values, problems };
}

function readSecret(path: string): { readonly value: string } | { readonly problem: string } {
  try {
    const value = readFileSync(path, 'utf8').trim();
    return value === '' ? { problem: 'the file is empty' } : { value };
  } catch (error) {
    return { problem: `the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` };
  }
}
