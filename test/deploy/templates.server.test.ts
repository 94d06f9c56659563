import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GATEWAY_TEMPLATES, gatewayVariables } from '../../deploy/nginx/gateway.ts';
import { onPath } from '../../lib/go-install.ts';
import { renderTemplate } from '../../lib/nginx.ts';
import { requireProgram } from '../programs.ts';

const VARIABLES = gatewayVariables(
  {
    host: '0.0.0.0',
    httpPort: 8088,
    reportsPort: 8080,
    tls: { httpsPort: 8443, publicPort: 443, certificate: '/certs/tls.crt', key: '/certs/tls.key' },
    api: ['api:8000'],
    serving: ['serving-1:8100', 'serving-2:8100'],
    rates: { auth: 30, general: 6_000, predict: 300_000 },
    maxBodyBytes: 2 ** 20,
    maxBatchBytes: 2 ** 24,
    maxUploadBytes: 10 * 2 ** 30,
    maxModelBytes: 2 ** 28,
  },
  { runFolder: '/tmp', logFile: '/dev/stdout' },
);

requireProgram({ name: 'envsubst', path: onPath('envsubst'), install: 'apt-get install gettext-base' }, (envsubst) => {
  test('the templates become the same by envsubst, as the official nginx image runs it, and natively', async () => {
    const names = await readdir(GATEWAY_TEMPLATES);
    expect(names).toContain('nginx.conf.template');
    const known = Object.keys(VARIABLES).map((name) => `\${${name}}`);
    for (const name of names) {
      const template = await readFile(join(GATEWAY_TEMPLATES, name), 'utf8');
      const byEnvsubst = execFileSync(envsubst, [known.join(' ')], { input: template, env: VARIABLES }).toString();
      expect(renderTemplate(template, VARIABLES)).toBe(byEnvsubst);
      expect(byEnvsubst).not.toMatch(/\$\{[A-Z]/);
    }
  });

  test('the variables are those that the guide lists', async () => {
    const guide = await readFile(join(GATEWAY_TEMPLATES, '..', 'README.md'), 'utf8');
    const table = guide
      .split('## Variables')[1]!
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    const listed = table.flatMap((line) => [...line.split(' | ')[0]!.matchAll(/`([A-Z_]+)`/g)].map(([, name]) => name));
    expect(listed.sort()).toEqual(Object.keys(VARIABLES).sort());
  });
});
