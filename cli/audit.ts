import { join } from 'node:path';
import { type ChainPoint, createAuditLog } from '../db/audit-log.ts';
import { connect } from '../db/connect.ts';
import type { Config } from '../lib/config.ts';
import { runningPostgresUrl } from '../lib/embedded-postgres.ts';
import { PlatformError } from '../lib/errors.ts';

export const AUDIT_USAGE = 'anneal audit verify [--expect <sequence>:<sha256>]';

/** `anneal audit verify`: answers what to say. Throws INVALID when the chain does not hold, naming the row. */
export async function verifyAudit(config: Config, args: readonly string[]): Promise<string> {
  const expected = readArguments(args);
  const { db, close } = connect(await databaseUrl(config), { max: 1 });
  try {
    const { head, flaw } = await createAuditLog(db).verify(expected);
    if (flaw) throw new PlatformError('INVALID', `the audit log does not hold: row ${flaw.sequence} is ${flaw.reason}`);
    const found = expected ? `, row ${expected.sequence} as expected` : '';
    return `the audit log holds: ${head.sequence} rows${found}\nhead ${head.sequence}:${head.sha256}`;
  } finally {
    await close();
  }
}

function readArguments([verb, option, value, ...more]: readonly string[]): ChainPoint | undefined {
  const wrong = new PlatformError('INVALID', `usage: ${AUDIT_USAGE}`);
  if (verb !== 'verify' || more.length > 0) throw wrong;
  if (option === undefined) return undefined;
  const [, sequence, sha256] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(value ?? '') ?? [];
  if (option !== '--expect' || sequence === undefined || sha256 === undefined) throw wrong;
  return { sequence: Number(sequence), sha256 };
}

async function databaseUrl({ DATABASE_URL: given, ANNEAL_HOME: home }: Config): Promise<string> {
  const url = given ?? (await runningPostgresUrl(join(home, 'postgres')));
  if (url !== null) return url;
  const hint = 'start `anneal up`, whose database runs only as long as it does, or set DATABASE_URL';
  throw new PlatformError('UNAVAILABLE', `no database runs in ${home}: ${hint}`);
}
