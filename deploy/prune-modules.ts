// `node deploy/prune-modules.ts <target> <folder>` leaves in <folder>/node_modules what the image of a target needs, on the
// platform it runs on, and in <folder>/package.json its dependencies only. Plain Node: it runs while images are built.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  dependencies: Record<string, string>;
  devDependencies?: object;
}

const [target = '', folder = '.'] = process.argv.slice(2);
const images = readJson<Record<string, { dependencies: readonly string[] }>>(join(import.meta.dirname, 'images.json'));
const wanted = images[target]?.dependencies;
if (!wanted) throw new Error(`name a target: ${Object.keys(images).join(', ')}`);

const packageFile = join(folder, 'package.json');
const manifest = readJson<Manifest>(packageFile);
manifest.dependencies = Object.fromEntries(
  Object.entries(manifest.dependencies).filter(([name]) => wanted.includes(name)),
);
delete manifest.devDependencies;
writeFileSync(packageFile, `${JSON.stringify(manifest, null, 2)}\n`);
execFileSync('npm', ['prune', '--omit=dev', '--ignore-scripts', '--offline', '--no-audit', '--no-fund'], {
  cwd: folder,
  stdio: 'inherit',
});

// These packages carry the binaries of every platform.
const modules = join(folder, 'node_modules');
const onnxRuntime = join(modules, 'onnxruntime-node', 'bin', 'napi-v6');
keep(onnxRuntime, (platform) => platform === process.platform);
keep(join(onnxRuntime, process.platform), (arch) => arch === process.arch);
const rustArch = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string]!;
keep(
  join(modules, '@temporalio', 'core-bridge', 'releases'),
  (triple) => triple.startsWith(rustArch) && triple.includes(process.platform),
);

function keep(parent: string, isWanted: (name: string) => boolean): void {
  if (!existsSync(parent)) return;
  const [kept, others] = [readdirSync(parent).filter(isWanted), readdirSync(parent).filter((name) => !isWanted(name))];
  if (kept.length !== 1) throw new Error(`${parent} holds nothing for ${process.platform} ${process.arch}`);
  for (const name of others) rmSync(join(parent, name), { recursive: true });
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
