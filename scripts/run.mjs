// Runs a TypeScript file on the project's own Node, installing the packages first when they are missing or out of date.
// Plain JavaScript on built-in modules only: this file runs before anything is installed, on any Node from 20 up.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
const marker = join(modules, '.anneal-lock');
const lockFile = join(root, 'package-lock.json');
const windows = process.platform === 'win32';
const nodeBinary = join(modules, 'node', 'bin', windows ? 'node.exe' : 'node');

const fail = (message) => {
  console.error(`anneal: ${message}`);
  process.exit(1);
};
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));
const hashOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Is every package of the lock file installed in its version? npm's own list says what is there. */
function installedMatchesLock() {
  const list = join(modules, '.package-lock.json');
  if (!existsSync(list) || !existsSync(nodeBinary)) return false;
  const installed = readJson(list).packages ?? {};
  return Object.entries(readJson(lockFile).packages).every(([path, { version, optional }]) =>
    path === '' ? true : installed[path] ? installed[path].version === version : optional === true,
  );
}

function isInstalled() {
  if (!existsSync(nodeBinary)) return false;
  return (existsSync(marker) && readFileSync(marker, 'utf8') === hashOf(lockFile)) || installedMatchesLock();
}

function install() {
  console.error('anneal: installing packages (npm ci), about a minute the first time …');
  const environment = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const options = { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], shell: windows, env: environment };
  const arguments_ = ['ci', '--loglevel', 'error', '--no-audit', '--no-fund', '--no-progress'];
  const { status, error } = spawnSync('npm', arguments_, options);
  if (error || status !== 0) fail(`npm ci failed (${error?.message ?? `status ${status}`}); see the lines above`);
  // A machine that forbids install scripts leaves the runtime out: make it now.
  if (!existsSync(nodeBinary)) {
    spawnSync(process.execPath, ['installArchSpecificPackage.js'], { ...options, cwd: join(modules, 'node') });
  }
  if (!existsSync(nodeBinary)) fail("the npm package 'node' made no runtime; is `ignore-scripts` set in an .npmrc?");
}

function run([file, ...args]) {
  const path = [join(modules, '.bin'), process.env.PATH ?? ''].join(delimiter);
  // Node keeps what it makes of each file there: every process starts 0.1 s earlier and needs 25 MiB less.
  const cache = process.env.NODE_COMPILE_CACHE ?? join(modules, '.cache', 'node');
  const child = spawn(nodeBinary, [join(root, file), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'], // the channel tells the child when this process is gone
    env: { ...process.env, PATH: path, NODE_COMPILE_CACHE: cache },
  });
  let forwarded = false;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      // Ctrl-C reaches the child through the terminal already; a second copy would read as "hurry".
      if (!forwarded && !(signal === 'SIGINT' && process.stdin.isTTY)) child.kill(signal);
      forwarded = true;
    });
  }
  child.on('error', (error) => fail(`cannot start ${nodeBinary}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

if (Number(process.versions.node.split('.')[0]) < 20) fail(`needs Node 20 or newer, this is ${process.versions.node}`);
if (!process.argv[2]) fail('usage: node scripts/run.mjs <file.ts> [arguments]');
if (!isInstalled()) install();
if (!existsSync(marker) || readFileSync(marker, 'utf8') !== hashOf(lockFile)) writeFileSync(marker, hashOf(lockFile));
run(process.argv.slice(2));
