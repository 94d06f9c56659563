// Writes deploy/images.json from what the programs import. `--check` only says whether it is up to date; `--sizes` measures
// what each target takes on this platform and writes deploy/image-sizes.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type ImageSize, sizeOf } from './images/image-sizes.ts';
import { makeImageTree } from './images/image-tree.ts';
import { type Images, imagesOf, TARGETS } from './images/images.ts';

const root = join(import.meta.dirname, '..');
const { check, sizes } = parseArgs({ options: { check: { type: 'boolean' }, sizes: { type: 'boolean' } } }).values;

const images = imagesOf(root);
const imagesFile = join(root, 'deploy', 'images.json');
const text = `${JSON.stringify(images, null, 2)}\n`;
if (!check) writeFileSync(imagesFile, text);
else if (readFileSync(imagesFile, 'utf8') !== text) {
  console.error('deploy/images.json is stale: run `node scripts/images.ts` and write its lists into deploy/Dockerfile');
  process.exitCode = 1;
}
if (sizes) await writeSizes(images);

async function writeSizes(images: Images): Promise<void> {
  const targets: Record<string, ImageSize> = {};
  for (const target of TARGETS) {
    const tree = join(root, '.anneal', 'images', target);
    await makeImageTree(root, target, images[target], tree);
    targets[target] = await sizeOf(tree);
    await rm(tree, { recursive: true });
  }
  const measured = { platform: `${process.platform}/${process.arch}`, targets };
  writeFileSync(join(root, 'deploy', 'image-sizes.json'), `${JSON.stringify(measured, null, 2)}\n`);
}
