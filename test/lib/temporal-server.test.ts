import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { findMinio } from '../../lib/minio-server.ts';
import { findTemporal } from '../../lib/temporal-server.ts';
import { temporaryFolder } from '../platform.ts';

/** A machine of our own: an empty PATH folder and an empty cache. */
async function machine() {
  const folder = await temporaryFolder('ladder');
  onTestFinished(folder.remove);
  const path = join(folder.path, 'path');
  const cached = join(folder.path, 'cache', 'bin');
  await Promise.all([mkdir(path), mkdir(cached, { recursive: true })]);
  return { path, cached, env: { PATH: path, ANNEAL_CACHE: join(folder.path, 'cache'), HOME: folder.path } };
}

async function program(folder: string, name: string, script = ''): Promise<string> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
  return join(folder, name);
}
// A go that "builds" the program named by the last part of the module path.
const GO =
  'module="${2%@*}"; name="${module##*/}"; printf "#!/bin/sh\\n" > "$GOBIN/$name"; /bin/chmod +x "$GOBIN/$name"';
const noDownload = () => Promise.resolve(undefined);

test('takes the program on the PATH before the cached one', async () => {
  const { path, cached, env } = await machine();
  await program(cached, 'temporal');
  const onPath = await program(path, 'temporal');
  expect(await findTemporal({ env }, noDownload)).toBe(onPath);
});

test('takes the cached program before it downloads', async () => {
  const { cached, env } = await machine();
  const expected = await program(cached, 'temporal');
  const download = vi.fn(noDownload);
  expect(await findTemporal({ env }, download)).toBe(expected);
  expect(download).not.toHaveBeenCalled();
});

test('downloads into the cache before it builds', async () => {
  const { path, cached, env } = await machine();
  await program(path, 'go', 'exit 1');
  expect(await findTemporal({ env }, (target) => program(cached, 'temporal').then(() => target))).toBe(
    join(cached, 'temporal'),
  );
});

test('builds with go, saying so, when the download is refused', async () => {
  const { path, cached, env } = await machine();
  await program(path, 'go', GO);
  const lines: string[] = [];
  expect(await findTemporal({ env, progress: (line) => lines.push(line) }, noDownload)).toBe(join(cached, 'temporal'));
  expect(lines.join('\n')).toContain('go install');
});

test('a file that is not executable is not a program', async () => {
  const { path, cached, env } = await machine();
  await writeFile(join(path, 'temporal'), '');
  const expected = await program(cached, 'temporal');
  expect(await findTemporal({ env }, noDownload)).toBe(expected);
});

test('says why a build failed, then names all five ways', async () => {
  const { path, env } = await machine();
  await program(path, 'go', 'echo "no such module" >&2; exit 1');
  const lines: string[] = [];
  const found = findTemporal({ env, progress: (line) => lines.push(line) }, noDownload);
  await expect(found).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(found).rejects.toThrow(/TEMPORAL_ADDRESS[^]*PATH[^]*cache[^]*download[^]*go install/);
  expect(lines).toContain('no such module');
});

test('MinIO comes by the same ladder', async () => {
  const { path, cached, env } = await machine();
  await expect(findMinio({ env })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await program(path, 'go', GO);
  expect(await findMinio({ env })).toBe(join(cached, 'minio'));
  const onPath = await program(path, 'minio');
  expect(await findMinio({ env })).toBe(onPath);
});
