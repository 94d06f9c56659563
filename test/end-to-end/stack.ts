import { cp, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeComposeSecrets } from '../../cli/compose-secrets.ts';
import { startStack } from '../../cli/stack/stack.ts';
import { logIn } from '../../cli/session.ts';
import { temporaryFolder } from '../platform.ts';
import { createApi } from './platform.ts';

const PROJECT = join(import.meta.dirname, '..', '..');

export type TestStack = Awaited<ReturnType<typeof startTestStack>>;

/** The services of docker-compose.yml as processes, with secrets and a home of their own. Stopping leaves the files to `remove`. */
export async function startTestStack(env: Record<string, string>) {
  const folder = await temporaryFolder('stack');
  const composeFile = join(folder.path, 'docker-compose.yml');
  const reports: string[] = [];
  try {
    await cp(join(PROJECT, 'docker-compose.yml'), composeFile);
    for (const name of ['deploy', 'monitoring']) await symlink(join(PROJECT, name), join(folder.path, name));
    writeComposeSecrets(undefined, composeFile);
    const home = join(folder.path, 'home');
    const stack = await startStack({ composeFile, env, folder: home, report: (line) => void reports.push(line) });
    const addressOf = (service: string) => stack.services.find(({ name }) => name === service)!.addresses[0]!;
    const gateway = `http://${addressOf('gateway')}:8088`;
    const secret = async (name: string) => (await readFile(join(folder.path, 'secrets', name), 'utf8')).trim();
    const token = await logIn(gateway, 'admin', await secret('admin_password'));
    return { ...stack, home, reports, gateway, addressOf, secret, ...createApi(gateway, token), remove: folder.remove };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
