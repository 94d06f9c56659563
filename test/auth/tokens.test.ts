import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { CLOCK_TOLERANCE_SECONDS, createTokens } from '../../auth/tokens.ts';

const SECRET = 'a-key-for-tests-only-of-more-than-32-characters';
const NOW = 1_800_000_000; // seconds
const ADA = { name: 'ada', role: 'scientist', tokenVersion: 7 } as const;
const HEADER = { alg: 'HS256', typ: 'JWT' };
const CLAIMS = {
  sub: 'ada',
  role: 'scientist',
  type: 'access',
  ver: 7,
  jti: 'one',
  iss: 'anneal',
  aud: 'anneal',
  iat: NOW,
  exp: NOW + 1800,
};
const tokensAt = (seconds: number, secret = SECRET) =>
  createTokens({ secret, accessMinutes: 30, refreshDays: 7, now: () => new Date(seconds * 1000) });
const tokens = tokensAt(NOW);

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const hmac = (text: string, key: string | Buffer, hash = 'sha256') =>
  createHmac(hash, key).update(text).digest('base64url');
/** A token made by hand: signed with the right key unless told otherwise. */
function forge(header: object, claims: object, sign = (text: string) => hmac(text, SECRET)): string {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${sign(text)}`;
}
const without = (name: keyof typeof CLAIMS) =>
  Object.fromEntries(Object.entries(CLAIMS).filter(([claim]) => claim !== name));
const decode = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;

test('a token says who, until when and as what, and is accepted', async () => {
  const token = await tokens.issue('access', ADA, 'one');
  expect(decode(token)).toEqual(CLAIMS);
  const accepted = { user: 'ada', version: 7, jti: 'one', expiresAt: new Date((NOW + 1800) * 1000) };
  expect(await tokens.verify('access', token)).toEqual(accepted);
  // The forger below differs from the issuer in nothing but what each test changes.
  expect(await tokens.verify('access', forge(HEADER, CLAIMS))).toEqual(accepted);
});

test.each(['none', 'None', 'NONE', 'nOnE', '', 'HS512', 'HS384', 'RS256', 'hs256'])(
  'the algorithm %j is refused, signed or not',
  async (alg) => {
    const header = { alg, typ: 'JWT' };
    for (const sign of [
      () => '',
      (text: string) => hmac(text, SECRET),
      (text: string) => hmac(text, SECRET, 'sha512'),
    ]) {
      expect(await tokens.verify('access', forge(header, CLAIMS, sign))).toBeNull();
    }
  },
);

test('a missing algorithm is refused', async () => {
  expect(await tokens.verify('access', forge({ typ: 'JWT' }, CLAIMS))).toBeNull();
});

test('neither an RSA signature nor an HMAC keyed with a public key passes', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const rsa = (text: string) => createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url');
  const keyedWithPem = (text: string) => hmac(text, pem);
  for (const alg of ['RS256', 'HS256']) {
    expect(await tokens.verify('access', forge({ alg, typ: 'JWT' }, CLAIMS, rsa))).toBeNull();
    expect(await tokens.verify('access', forge({ alg, typ: 'JWT' }, CLAIMS, keyedWithPem))).toBeNull();
  }
});

const KEY_HEADERS: object[] = [
  { kid: '../../../../dev/null' },
  { kid: '/etc/hostname' },
  { kid: "x' UNION SELECT 'a-known-secret' -- " },
  { kid: 'https://evil.example/key' },
  { kid: '1' },
  { jku: 'https://evil.example/jwks.json' },
  { x5u: 'https://evil.example/cert.pem' },
  { x5c: ['MIIB'] },
  { jwk: { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') } },
  { crit: ['exp'] },
  { crit: ['b64'], b64: true },
  { zip: 'DEF' },
];
test.each(KEY_HEADERS)('a header that names keys or extensions is refused, even rightly signed: %j', async (extra) => {
  expect(await tokens.verify('access', forge({ ...HEADER, ...extra }, CLAIMS))).toBeNull();
  // With the key that a path to an empty file, or the header itself, would give.
  expect(
    await tokens.verify(
      'access',
      forge({ ...HEADER, ...extra }, CLAIMS, (text) => hmac(text, '')),
    ),
  ).toBeNull();
});

const WRONG_CLAIMS: [string, object][] = [
  ['another issuer', { ...CLAIMS, iss: 'another' }],
  ['another audience', { ...CLAIMS, aud: 'another' }],
  ['another type', { ...CLAIMS, type: 'id' }],
  ['no issuer', without('iss')],
  ['no audience', without('aud')],
  ['no type', without('type')],
  ['no subject', without('sub')],
  ['no expiry', without('exp')],
  ['no time of issue', without('iat')],
  ['no id', without('jti')],
  ['no version', without('ver')],
  ['an expiry that is text', { ...CLAIMS, exp: String(CLAIMS.exp) }],
  ['a subject that is no text', { ...CLAIMS, sub: 7 }],
  ['an id that is no text', { ...CLAIMS, jti: 7 }],
  ['a version that is text', { ...CLAIMS, ver: '7' }],
  ['a start in the future', { ...CLAIMS, nbf: NOW + 60 }],
];
test.each(WRONG_CLAIMS)('%s is refused', async (_, claims) => {
  expect(await tokens.verify('access', forge(HEADER, claims))).toBeNull();
});

test('a header of another type is refused', async () => {
  expect(await tokens.verify('access', forge({ alg: 'HS256', typ: 'at+jwt' }, CLAIMS))).toBeNull();
  expect(await tokens.verify('access', forge({ alg: 'HS256' }, CLAIMS))).toBeNull();
});

test('clocks may differ by the tolerance and no more', async () => {
  const token = await tokens.issue('access', ADA);
  const at = (seconds: number) => tokensAt(seconds).verify('access', token);
  const expiry = NOW + 1800;
  expect(await at(expiry + CLOCK_TOLERANCE_SECONDS - 1)).not.toBeNull();
  expect(await at(expiry + CLOCK_TOLERANCE_SECONDS + 1)).toBeNull();
  expect(await at(NOW - CLOCK_TOLERANCE_SECONDS)).not.toBeNull();
  expect(await at(NOW - CLOCK_TOLERANCE_SECONDS - 1)).toBeNull();
});

test('a refresh token is no access token, and the other way round', async () => {
  const access = await tokens.issue('access', ADA);
  const refresh = await tokens.issue('refresh', ADA);
  expect(await tokens.verify('access', refresh)).toBeNull();
  expect(await tokens.verify('refresh', access)).toBeNull();
  expect(await tokens.verify('refresh', refresh)).toMatchObject({ expiresAt: new Date((NOW + 7 * 86_400) * 1000) });
});

test('a token of another key is refused', async () => {
  expect(await tokensAt(NOW, `${SECRET}!`).verify('access', await tokens.issue('access', ADA))).toBeNull();
});

test('no changed character and no cut leaves a token valid', async () => {
  const token = await tokens.issue('access', ADA, 'one');
  const spoiled = [...token].flatMap((character, index) => {
    const other = character === 'A' ? 'B' : 'A';
    // The next letter differs in the lowest bits only, which decoders drop at the end of a part.
    const next = String.fromCharCode(character.charCodeAt(0) + 1);
    return [other, next].map((changed) => token.slice(0, index) + changed + token.slice(index + 1));
  });
  const cut = [...token].map((_, length) => token.slice(0, length));
  const padded = ['=', '.', '.x', ' ', '\n', '\0'].flatMap((more) => [token + more, more + token]);
  const results = await Promise.all([...spoiled, ...cut, ...padded].map((text) => tokens.verify('access', text)));
  expect(results.filter((claims) => claims !== null)).toEqual([]);
});

test('a token longer than any of ours is refused', async () => {
  expect(await tokens.verify('access', forge(HEADER, { ...CLAIMS, more: 'x'.repeat(2048) }))).toBeNull();
  expect(await tokens.verify('access', 'x'.repeat(1_000_000))).toBeNull();
});

test.each(['', '.', '..', 'a.b', 'a.b.c', '....', '{}', 'e30.e30.', 'bnVsbA.bnVsbA.bnVsbA'])(
  'what is no token at all is refused without an error: %j',
  async (text) => {
    expect(await tokens.verify('access', text)).toBeNull();
  },
);
