import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type AccessDirectoryDeps, startAccessDirectory } from '../../auth/access-directory.ts';
import type { AccessState } from '../../db/access.ts';
import { createKeptJson } from '../../lib/kept-json.ts';
import { temporaryFolder } from '../platform.ts';

const SOON = { timeout: 60_000 };

const stateOf = (revision: number, ...names: string[]): AccessState => ({
  revision,
  users: names.map((name) => ({ name, role: 'user', disabled: false, tokenVersion: 1 })),
  apiKeys: [
    {
      id: 'k1',
      userName: 'ada',
      name: 'ci',
      secretSha256: 'ab'.repeat(32),
      scopes: ['predict'],
      endpoints: null,
      expiresAt: '2030-01-01T00:00:00.000Z',
    },
  ],
});
const away = () => Promise.reject(new Error('connection refused'));

async function start(changes: Partial<AccessDirectoryDeps>) {
  const warn = vi.fn();
  const directory = await startAccessDirectory({
    load: away,
    listen: () => Promise.resolve({ unlisten: () => Promise.resolve() }),
    log: { info: vi.fn(), warn },
    pollMs: 5,
    ...changes,
  });
  onTestFinished(() => directory.stop());
  return { directory, warn };
}

test('it knows users and keys, and loads them again only when the revision moved', async () => {
  let state = stateOf(1, 'ada');
  const load = vi.fn((known: number | null) => Promise.resolve(known === state.revision ? null : state));
  const { directory } = await start({ load });
  expect(directory.user('ada')).toMatchObject({ role: 'user' });
  expect(directory.apiKey('k1')).toMatchObject({ userName: 'ada', expiresMs: Date.UTC(2030, 0, 1) });
  expect(directory.user('bob')).toBeUndefined();
  state = stateOf(2, 'bob');
  await vi.waitFor(() => expect(directory.user('bob')).toBeDefined(), SOON);
  expect(directory.user('ada')).toBeUndefined();
  expect(load.mock.calls.slice(0, 2)).toEqual([[null], [1]]);
});

test('a notification is heard without waiting for the next poll', async () => {
  let state = stateOf(1, 'ada');
  let tell = () => {};
  const { directory } = await start({
    load: () => Promise.resolve(state),
    listen: (onChange) => ((tell = onChange), Promise.resolve({ unlisten: () => Promise.resolve() })),
    pollMs: 1_000_000,
  });
  state = stateOf(2, 'bob');
  tell();
  await vi.waitFor(() => expect(directory.user('bob')).toBeDefined(), SOON);
});

test('a refresh never joins a load that began before the change', async () => {
  let state = stateOf(1, 'ada');
  let gate = Promise.resolve();
  const { directory } = await start({
    load: async () => {
      const read = state;
      await gate;
      return read;
    },
    pollMs: 1_000_000,
  });
  const held = Promise.withResolvers<void>();
  gate = held.promise;
  const early = directory.refresh();
  await Promise.resolve(); // it has read
  state = stateOf(2, 'bob');
  const late = directory.refresh();
  held.resolve();
  await Promise.all([early, late]);
  expect(directory.user('bob')).toBeDefined();
});

test('while the database is away it keeps what it knows, says so once, and goes on when it is back', async () => {
  let load: AccessDirectoryDeps['load'] = () => Promise.resolve(stateOf(1, 'ada'));
  const loads = vi.fn((known: number | null) => load(known));
  const { directory, warn } = await start({ load: loads });
  load = away;
  const before = loads.mock.calls.length;
  await vi.waitFor(() => expect(loads.mock.calls.length).toBeGreaterThan(before + 3), SOON);
  await directory.refresh();
  expect(directory.user('ada')).toBeDefined();
  expect(warn).toHaveBeenCalledTimes(1);
  load = () => Promise.resolve(stateOf(2, 'bob'));
  await vi.waitFor(() => expect(directory.user('bob')).toBeDefined(), SOON);
});

test('a start without the database knows what was known last time, from a file that only its user can read', async () => {
  const folder = await temporaryFolder('access');
  onTestFinished(folder.remove);
  const path = join(folder.path, 'new', 'access.json');
  await start({ load: () => Promise.resolve(stateOf(1, 'ada')), memory: createKeptJson(path) });
  await vi.waitFor(async () => expect((await stat(path)).mode & 0o777).toBe(0o600), SOON);
  const { directory } = await start({ memory: createKeptJson(path) });
  expect(directory.user('ada')).toBeDefined();
  expect(directory.apiKey('k1')?.secretHash).toEqual(Buffer.from('ab'.repeat(32), 'hex'));
});

test('without database and memory it cannot say who may call, until the database answers', async () => {
  const folder = await temporaryFolder('access');
  onTestFinished(folder.remove);
  let load: AccessDirectoryDeps['load'] = away;
  const memory = createKeptJson<AccessState>(join(folder.path, 'access.json'));
  const { directory } = await start({ load: (known) => load(known), memory });
  const unavailable = expect.objectContaining({ code: 'UNAVAILABLE' }) as Error;
  expect(() => directory.user('ada')).toThrow(unavailable);
  expect(() => directory.apiKey('k1')).toThrow(unavailable);
  load = () => Promise.resolve(stateOf(1, 'ada'));
  await vi.waitFor(() => expect(directory.user('ada')).toBeDefined(), SOON);
  expect(directory.user('bob')).toBeUndefined();
});

test('what is remembered never replaces what the database says', async () => {
  const { directory } = await start({
    load: () => Promise.resolve(stateOf(1, 'bob')),
    memory: { load: () => Promise.resolve(stateOf(1, 'ada')), save: () => Promise.resolve(true) },
  });
  expect(directory.user('bob')).toBeDefined();
  expect(directory.user('ada')).toBeUndefined();
});
