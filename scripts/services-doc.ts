// Writes docs/services.md from docker-compose.yml and deploy/image-sizes.json. `--check` only says whether it is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { servicesDoc } from './services-doc/services-doc.ts';

const root = join(import.meta.dirname, '..');
const file = join(root, 'docs', 'services.md');
const page = await servicesDoc(root);
if (!process.argv.includes('--check')) writeFileSync(file, page);
else if (page !== readFileSync(file, 'utf8')) {
  console.error('docs/services.md is stale: run `node scripts/services-doc.ts`');
  process.exitCode = 1;
}
