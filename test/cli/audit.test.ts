import { expect, onTestFinished, test } from 'vitest';
import { verifyAudit } from '../../cli/audit.ts';
import { loadConfig } from '../../lib/config.ts';
import { temporaryFolder } from '../platform.ts';

async function configWithout() {
  const home = await temporaryFolder('audit');
  onTestFinished(home.remove);
  return loadConfig({ ANNEAL_HOME: home.path });
}

test('without a database the command says what to do', async () => {
  await expect(verifyAudit(await configWithout(), ['verify'])).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/no database runs in .*DATABASE_URL/) as string,
  });
});

const sha256 = 'a'.repeat(64);
test.each([
  [[]],
  [['check']],
  [['verify', '--expect']],
  [['verify', '--expect', '4']],
  [['verify', '--expect', `0:${sha256}`]],
  [['verify', '--expect', `4:${sha256}`, 'more']],
  [['verify', '--all', `4:${sha256}`]],
])('the arguments %j are answered with the usage', async (args) => {
  await expect(verifyAudit(await configWithout(), args)).rejects.toThrow('usage: anneal audit verify');
});
