import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { claimPort } from '../../lib/ports.ts';
import { pythonVenv } from '../../scripts/python-venv.ts';
import { benchRows } from './data.ts';
import { pidsOf } from './process-tree.ts';
import { ask, type BenchServer } from './server.ts';
import { bentoMl, fastApiBatch, fastApiRow, mlflow, v2Json, type Wire } from './wires.ts';

const START_MS = 120_000;
const STOP_MS = 10_000;
const MODEL = 'bench';

interface Start {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}
export interface Peer {
  readonly name: string;
  /** Holds its requirements and its code. */
  readonly folder: string;
  readonly row: Wire;
  readonly batch: Wire;
  /** `python <args>` in `cwd`, an empty folder, with the peer's own folder on its path. */
  readonly start: (at: { python: string; onnx: string; port: number; cwd: string }) => Start | Promise<Start>;
}

/**
 * One process (or one worker under its supervisor) each, without a log line per request, with uvloop and httptools
 * installed, which uvicorn then takes. The figures in comments are of one row at 32 connections, where two settings could
 * both be called right.
 */
export const PEERS: readonly Peer[] = [
  {
    // uvicorn.org/settings: production; what else is documented stands in app.py.
    name: 'FastAPI 0.165 + onnxruntime 1.31',
    folder: 'fastapi',
    row: fastApiRow,
    batch: fastApiBatch,
    start: ({ onnx, port }) => ({
      args: [
        '-m',
        'uvicorn',
        'app:app',
        '--port',
        `${port}`,
        '--workers',
        '1',
        '--no-access-log',
        '--log-level',
        'warning',
      ],
      env: { BENCH_MODEL: onnx },
    }),
  },
  {
    // docs.seldon.ai/mlserver/reference/settings: `debug` off. Without its inference pool (user-guide/parallel-inference),
    // which is one more process and slower (1,460 requests/s without, 830 with), and without adaptive batching, which is
    // off unless asked for (1,580 without, 1,070 with).
    name: 'MLServer 1.7',
    folder: 'mlserver',
    row: v2Json(MODEL),
    batch: v2Json(MODEL),
    start: async ({ onnx, port, cwd }) => ({
      args: ['-m', 'mlserver.cli.main', 'start', cwd],
      env: {
        MLSERVER_DEBUG: 'false',
        MLSERVER_PARALLEL_WORKERS: '0',
        MLSERVER_HOST: '127.0.0.1',
        MLSERVER_HTTP_PORT: `${port}`,
        MLSERVER_GRPC_PORT: `${await claimPort(0, 'gRPC')}`,
        MLSERVER_METRICS_PORT: `${await claimPort(0, 'metrics')}`,
        MLSERVER_MODEL_NAME: MODEL,
        MLSERVER_MODEL_IMPLEMENTATION: 'runtime.OnnxRuntime',
        MLSERVER_MODEL_URI: onnx,
      },
    }),
  },
  {
    // docs.bentoml.com/en/latest/get-started/adaptive-batching.html: on, as documented for models that take batches.
    // With so light a model it costs more than it saves: 500 requests/s without, 400 with.
    name: 'BentoML 1.4',
    folder: 'bentoml',
    row: bentoMl,
    batch: bentoMl,
    start: ({ onnx, port, cwd }) => ({
      args: ['-m', 'bentoml', 'serve', 'service:Scorer', '--host', '127.0.0.1', '--port', `${port}`],
      env: { BENCH_MODEL: onnx, BENTOML_HOME: cwd, BENTOML_DO_NOT_TRACK: 'True' },
    }),
  },
  {
    // mlflow.org/docs/latest/ml/deployment/deploy-model-locally: the ONNX flavour behind `mlflow models serve`.
    name: 'mlflow models serve 3.17',
    folder: 'mlflow',
    row: mlflow,
    batch: mlflow,
    start: async ({ python, onnx, port, cwd }) => {
      const model = join(cwd, 'model');
      await promisify(execFile)(python, [join(folderOf('mlflow'), 'save_model.py'), onnx, model], { cwd });
      // It starts `uvicorn` by name, and the scripts of an environment that was renamed do not run.
      await writeFile(join(cwd, 'uvicorn'), `#!/bin/sh\nexec '${python}' -m uvicorn "$@"\n`, { mode: 0o755 });
      const options = ['--host', '127.0.0.1', '--port', `${port}`, '--env-manager', 'local', '--workers', '1'];
      return {
        args: ['-m', 'mlflow', 'models', 'serve', '--model-uri', model, ...options],
        env: { PATH: `${cwd}:${process.env['PATH']}` },
      };
    },
  },
];

const folderOf = (folder: string) => fileURLToPath(new URL(`../peers/serving/${folder}/`, import.meta.url));

/** Installs it on first use, starts it and waits until it answers a row. Throws an Error with its last words. */
export async function startServingPeer(peer: Peer, onnx: string, cwd: string): Promise<BenchServer> {
  const folder = folderOf(peer.folder);
  const python = await pythonVenv(join(folder, 'requirements.txt'));
  const port = await claimPort(0, 'a port');
  const { args, env } = await peer.start({ python, onnx, port, cwd });
  const own = { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1', ORT_DISABLE_TELEMETRY: '1', ...env };
  const child = spawn(python, args, { cwd, env: { ...process.env, ...own }, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text: Buffer) => (words = `${words}${text.toString()}`.slice(-2000)));
  const { name, row, batch } = peer;
  const stop = () => stopTree(child.pid!, exited);
  const server = { name, url: `http://127.0.0.1:${port}`, headers: {}, pid: child.pid!, row, batch, stop };
  try {
    await Promise.race([untilItAnswers(server), exited.then(() => Promise.reject(new Error('it ended')))]);
    return server;
  } catch (cause) {
    await stop();
    throw new Error(`${name} does not start: ${(cause as Error).message}\n${words}`, { cause });
  }
}

async function untilItAnswers(server: BenchServer): Promise<void> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    try {
      return void (await ask(server, server.row, benchRows(1, 1)));
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(200);
    }
  }
}

/** A supervisor does not always take its workers with it. */
async function stopTree(pid: number, exited: Promise<unknown>): Promise<void> {
  const pids = await pidsOf(pid);
  const signal = (name: 'SIGTERM' | 'SIGKILL') => {
    for (const one of pids) if (isAlive(one)) process.kill(one, name);
  };
  signal('SIGTERM');
  await Promise.race([exited, delay(STOP_MS, undefined, { ref: false })]);
  await delay(500);
  signal('SIGKILL');
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
