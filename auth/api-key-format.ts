import { hash, randomBytes } from 'node:crypto';

const FORM = /^anneal_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

/** A new key `anneal_<id>_<secret>` with 256 bits of secret, of which only the hash is to be kept. */
export function makeApiKey(): { readonly id: string; readonly key: string; readonly secretSha256: string } {
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { id, key: `anneal_${id}_${secret}`, secretSha256: hash('sha256', secret) };
}

/** null for another kind of credential. */
export function readApiKey(credential: string): { readonly id: string; readonly secretHash: Buffer } | null {
  const [, id, secret] = FORM.exec(credential) ?? [];
  return id === undefined || secret === undefined ? null : { id, secretHash: hash('sha256', secret, 'buffer') };
}
