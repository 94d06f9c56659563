import { chmod, chown } from 'node:fs/promises';
import { findNginx, renderTemplates } from '../../../lib/nginx.ts';
import { runAs } from '../../../lib/server-account.ts';
import { answersAt, bareEnvironment, urlAsked, type Prepare } from '../native-program.ts';

const TEMPLATES = '/etc/nginx/templates';

/** nginx as its image starts it: the templates are filled in with the variables that the filter lets through. */
export const prepareGateway: Prepare = async (replica) => {
  const { environment, command, places, root } = replica;
  const program = findNginx();
  if (program === undefined) return { reason: 'nginx is not installed (apt-get install nginx-light)' };
  const { NGINX_ENVSUBST_OUTPUT_DIR: folder = '', NGINX_ENVSUBST_FILTER: filter = '' } = environment;
  const variables = Object.entries(environment).filter(([name]) => new RegExp(filter).test(name));
  await renderTemplates(places.paths.get(TEMPLATES)!, folder, Object.fromEntries(variables));
  await chmod(root, 0o711); // nginx' user must pass it
  const account = await runAs([program, folder]);
  if (account.uid !== undefined) await chown(folder, account.uid, account.gid!);
  return {
    ...account.command(program, command.slice(1)),
    env: bareEnvironment(),
    signal: 'SIGQUIT', // answers what is under way first
    healthy: answersAt(urlAsked(replica)!),
  };
};
