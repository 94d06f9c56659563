import { expect, test } from 'vitest';
import { createSessions } from '../../auth/sessions.ts';
import { createTokens } from '../../auth/tokens.ts';

const ADA = { name: 'ada', role: 'user', tokenVersion: 7 } as const;
const now = () => new Date();
const tokens = createTokens({ secret: 'k'.repeat(40), accessMinutes: 30, refreshDays: 7, now });

/** Sessions whose refresh tokens were, or are now, used at a certain time. */
function sessionsUsed({ at, by }: { at: Date; by: 'this request' | 'another' }) {
  const revoked: string[] = [];
  const row = { jti: 'j', family: 'f', userName: 'ada', issuedAt: at, expiresAt: at, usedAt: at, revokedAt: null };
  const sessions = createSessions({
    users: {
      find: () => Promise.resolve(null),
      noteLogin: () => Promise.resolve(),
      endTokens: () => Promise.resolve(),
    },
    refreshTokens: {
      add: () => Promise.resolve(),
      rotate: () => Promise.resolve(by === 'another' ? null : { ...ADA, usedAt: at }),
      find: () => Promise.resolve(row),
      revokeFamily: (family) => Promise.resolve(void revoked.push(family)),
      prune: () => Promise.resolve(),
    },
    tokens,
    now,
  });
  return { sessions, revoked };
}

test('the answer to a refresh comes after the tick of its use, so that a later request is seen to be later', async () => {
  for (let round = 0; round < 5; round++) {
    const at = new Date(Date.now() + 3);
    const { sessions } = sessionsUsed({ at, by: 'this request' });
    await sessions.refresh(await tokens.issue('refresh', ADA), now());
    expect(Date.now()).toBeGreaterThan(at.getTime());
  }
});

test('a database whose clock is an hour ahead delays no answer for long', async () => {
  const { sessions } = sessionsUsed({ at: new Date(Date.now() + 3_600_000), by: 'this request' });
  await sessions.refresh(await tokens.issue('refresh', ADA), now());
});

test.each([
  ['before', -1, []],
  ['at', 0, []],
  ['after', 1, ['f']],
])('a token that comes %s the use of it is refused; only later is it theft', async (_, laterMs, families) => {
  const at = new Date();
  const { sessions, revoked } = sessionsUsed({ at, by: 'another' });
  const refreshed = sessions.refresh(await tokens.issue('refresh', ADA), new Date(at.getTime() + laterMs));
  await expect(refreshed).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(revoked).toEqual(families);
});
