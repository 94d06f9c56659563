import { expect, test } from 'vitest';
import { makeApiKey } from '../../auth/api-key-format.ts';
import { createAuthenticator } from '../../auth/authenticator.ts';
import { scopesOf } from '../../auth/roles.ts';
import { createTokens } from '../../auth/tokens.ts';
import type { AccessUser } from '../../db/access.ts';
import type { KnownKey } from '../../auth/access-directory.ts';

const ADA: AccessUser = { name: 'ada', role: 'scientist', disabled: false, tokenVersion: 7 };

/** An authenticator whose clock and users a test moves. */
function setUp({ maxRememberedTokens = 100 } = {}) {
  const users = new Map([['ada', ADA]]);
  const keys = new Map<string, KnownKey>();
  const clock = { ms: 1_800_000_000_000 };
  const used: string[] = [];
  let verifications = 0;
  const now = () => new Date(clock.ms);
  const tokens = createTokens({ secret: 'k'.repeat(40), accessMinutes: 30, refreshDays: 7, now });
  const authenticate = createAuthenticator({
    tokens: { verify: (type, token) => (verifications++, tokens.verify(type, token)) },
    directory: { user: (name) => users.get(name), apiKey: (id) => keys.get(id) },
    now,
    keyUsed: (id) => used.push(id),
    maxRememberedTokens,
  });
  const addKey = (changes: Partial<KnownKey> = {}) => {
    const { id, key, secretSha256 } = makeApiKey();
    const secretHash = Buffer.from(secretSha256, 'hex');
    keys.set(id, {
      id,
      userName: 'ada',
      name: 'ci',
      secretSha256,
      secretHash,
      scopes: ['predict', 'train'],
      endpoints: null,
      expiresAt: null,
      expiresMs: Infinity,
      ...changes,
    });
    return { id, key };
  };
  const setAda = (changes: Partial<AccessUser>) => users.set('ada', { ...ADA, ...changes });
  return { users, keys, clock, used, tokens, authenticate, addKey, setAda, verifications: () => verifications };
}
const refused = { code: 'UNAUTHENTICATED', message: 'a valid access token or API key is required' };

test('an access token is its user, with the role the user has now', async () => {
  const { tokens, authenticate, setAda } = setUp();
  const token = await tokens.issue('access', ADA);
  expect(await authenticate(token)).toEqual({
    user: 'ada',
    role: 'scientist',
    scopes: scopesOf('scientist'),
    apiKey: null,
  });
  setAda({ role: 'user' });
  expect(await authenticate(token)).toMatchObject({ role: 'user', scopes: ['predict'] });
});

test('a signature is checked once, the user every time, and the expiry too', async () => {
  const { users, tokens, authenticate, setAda, clock, verifications } = setUp();
  const token = await tokens.issue('access', ADA);
  for (let repeat = 0; repeat < 3; repeat++) await authenticate(token);
  expect(verifications()).toBe(1);
  setAda({ disabled: true });
  await expect(authenticate(token)).rejects.toMatchObject(refused);
  setAda({ tokenVersion: 8 });
  await expect(authenticate(token)).rejects.toMatchObject(refused);
  users.delete('ada');
  await expect(authenticate(token)).rejects.toMatchObject(refused);
  setAda({});
  await authenticate(token);
  expect(verifications()).toBe(1);
  clock.ms += 30 * 60_000 + 6_000;
  await expect(authenticate(token)).rejects.toMatchObject(refused);
});

test('many tokens are remembered, but not without end', async () => {
  const { tokens, authenticate, verifications } = setUp({ maxRememberedTokens: 10 });
  const first = await tokens.issue('access', ADA);
  await authenticate(first);
  for (let other = 0; other < 10; other++) await authenticate(await tokens.issue('access', ADA, `${other}`));
  const before = verifications();
  await authenticate(first);
  expect(verifications()).toBe(before + 1);
});

test('a refresh token calls nothing', async () => {
  const { tokens, authenticate } = setUp();
  await expect(authenticate(await tokens.issue('refresh', ADA))).rejects.toMatchObject(refused);
});

test('an API key has those of its scopes that its user still has', async () => {
  const { authenticate, addKey, setAda, used } = setUp();
  const { id, key } = addKey({ endpoints: ['churn'] });
  const apiKey = { id, name: 'ci', endpoints: ['churn'] };
  expect(await authenticate(key)).toEqual({ user: 'ada', role: 'scientist', scopes: ['predict', 'train'], apiKey });
  setAda({ role: 'user' });
  expect(await authenticate(key)).toMatchObject({ role: 'user', scopes: ['predict'] });
  // An end of all sessions is none of the keys.
  setAda({ tokenVersion: 8 });
  await authenticate(key);
  expect(used).toEqual([id, id, id]);
});

test('an API key is dead when it has expired, is gone, or its user is disabled or gone', async () => {
  const { authenticate, addKey, setAda, users, keys, clock, used } = setUp();
  const { id, key } = addKey({ expiresMs: clock.ms + 1000 });
  await authenticate(key);
  setAda({ disabled: true });
  await expect(authenticate(key)).rejects.toMatchObject(refused);
  users.delete('ada');
  await expect(authenticate(key)).rejects.toMatchObject(refused);
  setAda({});
  clock.ms += 1000;
  await expect(authenticate(key)).rejects.toMatchObject(refused);
  clock.ms -= 1000;
  keys.delete(id);
  await expect(authenticate(key)).rejects.toMatchObject(refused);
  expect(used).toEqual([id]);
});

test('no other secret, id or spelling passes for an API key', async () => {
  const { authenticate, addKey } = setUp();
  const { id, key } = addKey();
  const other = addKey();
  const spoiled = [...key].map((character, index) => {
    const changed = character === 'A' ? 'B' : 'A';
    return key.slice(0, index) + changed + key.slice(index + 1);
  });
  const secretOf = (text: string) => text.split('_').slice(2).join('_');
  const mixed = [`anneal_${id}_${secretOf(other.key)}`, `anneal_${id}_`, `anneal_${id}`, secretOf(key), `${key}=`];
  for (const wrong of [...spoiled, ...mixed, ` ${key}`, `${key}\n`, key.toUpperCase()]) {
    await expect(authenticate(wrong)).rejects.toMatchObject(refused);
  }
});
