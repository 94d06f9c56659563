import { expect, test } from 'vitest';
import { hashPassword, refuseOwnName, verifyPassword } from '../../auth/passwords.ts';

const PASSWORD = 'correct horse battery';

test('a hash is argon2id of at least 19 MiB and two passes, with its own salt', async () => {
  const [first, second] = await Promise.all([hashPassword(PASSWORD), hashPassword(PASSWORD)]);
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(second).not.toBe(first);
  expect(first).not.toContain(PASSWORD);
});

test('only the password itself matches its hash', async () => {
  const hash = await hashPassword(PASSWORD);
  expect(await verifyPassword(PASSWORD, hash)).toBe(true);
  for (const wrong of ['', PASSWORD.slice(1), `${PASSWORD} `, PASSWORD.toUpperCase(), `${PASSWORD}\0`]) {
    expect(await verifyPassword(wrong, hash)).toBe(false);
  }
});

test('a hash of the reference program verifies, whatever its costs', async () => {
  // phc-winner-argon2, src/test.c: argon2id, t=2, m=2^16, p=1, "password", "somesalt".
  const reference = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
  expect(await verifyPassword('password', reference)).toBe(true);
  expect(await verifyPassword('Password', reference)).toBe(false);
});

test('nobody has a password, and finding that out takes as long as a wrong one', async () => {
  const hash = await hashPassword(PASSWORD);
  expect(await verifyPassword(PASSWORD, null)).toBe(false);
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let round = 0; round < 9; round++) {
    for (const [who, stored] of [
      ['known', hash],
      ['unknown', null],
    ] as const) {
      const before = process.cpuUsage(); // not the clock, which goes on while others have the processor
      await verifyPassword('a wrong password', stored);
      const { user, system } = process.cpuUsage(before);
      times[who].push(user + system);
    }
  }
  const ratio = median(times.unknown) / median(times.known);
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(2);
});

test('a password that is the name of its user is refused', () => {
  expect(() => refuseOwnName('ADA@EXAMPLE.COM', 'ada@example.com', 'new_password')).toThrow(
    expect.objectContaining({ code: 'INVALID', details: [expect.objectContaining({ path: 'new_password' })] }),
  );
  expect(() => refuseOwnName(PASSWORD, 'ada@example.com', 'new_password')).not.toThrow();
});

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
