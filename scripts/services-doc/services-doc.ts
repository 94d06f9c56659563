import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { servicesPage } from './services-page.ts';
import type { Sizes } from './services-table.ts';

/** docs/services.md as it should be, formatted as the project's Markdown is. */
export async function servicesDoc(root: string): Promise<string> {
  const read = (name: string) => readFileSync(join(root, name), 'utf8');
  const sizes = JSON.parse(read('deploy/image-sizes.json')) as { platform: string; targets: Sizes };
  const style = await resolveConfig(join(root, 'docs', 'services.md'));
  return await format(servicesPage(read('docker-compose.yml'), sizes), { ...style, parser: 'markdown' });
}
