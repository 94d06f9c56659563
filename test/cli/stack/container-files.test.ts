import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readComposeFile } from '../../../cli/stack/compose-file.ts';
import { layOut, requireFiles } from '../../../cli/stack/container-files.ts';
import { planStack } from '../../../cli/stack/plan.ts';
import { temporaryFolder } from '../../platform.ts';

const FILE = `
services:
  a: { image: a, secrets: [url], volumes: ['./conf:/etc/conf:ro', 'kept:/kept'], tmpfs: [/tmp] }
  db: { image: db }
secrets: { url: { file: ./secrets/url } }
`;

test('a replica finds its folders, and its files with the addresses of this machine, closed to others', async () => {
  const { path, remove } = await temporaryFolder('files');
  try {
    const options = { profiles: [], project: path, folder: join(path, 'stack'), network: '127.80.3' };
    const replica = planStack(readComposeFile(FILE, {}), options)[0]!.replicas[0]!;
    expect(() => requireFiles([replica])).toThrow(/conf, .*secrets\/url; `npx anneal secrets`/);
    await mkdir(join(path, 'conf', 'deep'), { recursive: true });
    await mkdir(join(path, 'secrets'));
    await writeFile(join(path, 'conf', 'deep', 'x.yml'), 'at: db:5432 in /tmp\n');
    await writeFile(join(path, 'secrets', 'url'), 'postgres://u:p@db:5432/x\n');
    requireFiles([replica]);
    await layOut(replica);
    const { root, mounts } = replica;
    expect(await readFile(join(root, 'etc/conf/deep/x.yml'), 'utf8')).toBe(`at: 127.80.3.3:5432 in ${root}/tmp\n`);
    const secret = mounts.paths.get('/run/secrets/url')!;
    expect(await readFile(secret, 'utf8')).toBe('postgres://u:p@127.80.3.3:5432/x\n');
    expect((await stat(secret)).mode & 0o777).toBe(0o600);
    expect((await stat(mounts.paths.get('/kept')!)).isDirectory()).toBe(true);
    await writeFile(join(root, 'tmp', 'left'), '');
    await layOut(replica);
    await expect(stat(join(root, 'tmp', 'left'))).rejects.toMatchObject({ code: 'ENOENT' });
  } finally {
    await remove();
  }
});
