import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { PlatformError } from '../lib/errors.ts';

const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const; // memory in KiB
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const PARAMETERS = `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}`;
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
/** In characters; at four bytes each at most, hashing gets no more than 1024 bytes. */
export const PASSWORD_LENGTH = { min: 12, max: 256 } as const;

const derive = promisify(argon2);

/** Argon2id in PHC form, with a salt of its own. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive('argon2id', { message: password, nonce: salt, tagLength: HASH_BYTES, ...COST });
  return [PARAMETERS, base64(salt), base64(hash)].join('$');
}

/** Takes as long for a missing hash (no such user) as for a wrong password. */
export async function verifyPassword(password: string, phc: string | null): Promise<boolean> {
  const [, memory, passes, parallelism, salt, hash] = PHC.exec(phc ?? NOBODY) ?? [];
  if (salt === undefined || hash === undefined) throw new Error('a stored password hash has an unknown form');
  const expected = Buffer.from(hash, 'base64');
  const given = await derive('argon2id', {
    message: password,
    nonce: Buffer.from(salt, 'base64'),
    tagLength: expected.length,
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  });
  return timingSafeEqual(given, expected) && phc !== null;
}

/** Throws INVALID for the one password that no length rule finds. */
export function refuseOwnName(password: string, userName: string, field: string): void {
  if (password.toLowerCase() !== userName) return;
  throw new PlatformError('INVALID', 'the password is too easy to guess', {
    details: [{ path: field, rule: 'not_the_name', message: 'must not be the user name' }],
  });
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');

const NOBODY = [PARAMETERS, base64(randomBytes(SALT_BYTES)), base64(randomBytes(HASH_BYTES))].join('$');
