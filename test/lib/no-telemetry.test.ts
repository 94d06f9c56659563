import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { writeOnnx } from '../../ml/onnx/write.ts';
import { features, linear, signature } from '../ml/onnx/sample.ts';

const script = fileURLToPath(new URL('opens-model.ts', import.meta.url));

test.each(['process', 'thread'])(
  'ONNX Runtime keeps nothing at home to report when a %s opens a model',
  async (where) => {
    const home = await mkdtemp(join(tmpdir(), 'anneal-home-'));
    onTestFinished(() => rm(home, { recursive: true }));
    const model = Buffer.from(writeOnnx({ model: linear(1), features, signature, metadata: {} }));
    const own = { HOME: home, XDG_CACHE_HOME: join(home, 'cache'), TMPDIR: home, NODE_COMPILE_CACHE: '' };
    const env = { ...process.env, ...own, ORT_DISABLE_TELEMETRY: undefined };
    const { status, stderr } = spawnSync(process.execPath, ['--no-warnings', script, where], {
      env,
      input: model.toString('base64'),
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(await readdir(home)).toEqual([]);
  },
);
