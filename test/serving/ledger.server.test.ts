import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../lib/embedded-postgres.ts';
import { isAliveAs } from '../../lib/child-process.ts';
import { startTestPostgres, temporaryFolder } from '../platform.ts';
import { exampleModel, type ExampleModel } from './example-models.ts';
import { type Ground, openGround } from './ledger/ground.ts';
import { CONNECTIONS } from './ledger/load.ts';

const SOON = { timeout: 300_000, interval: 100 };
const NO_DIFFERENCES = { missing: [], duplicated: [], other: [] };

let postgres: EmbeddedPostgres;
beforeAll(async () => void (postgres = await startTestPostgres()));
afterAll(() => postgres?.stop());

/** Serving processes with a model, for as long as `work` takes. */
async function withServing(
  { server = postgres.url, processes = 1 }: { server?: string; processes?: number },
  work: (ground: Ground) => Promise<void>,
): Promise<void> {
  const ground = await openGround(server, processes);
  try {
    await ground.start();
    await ground.deploy(await ground.registerGood(await exampleModel(-1)));
    await ground.ready();
    await work(ground);
  } finally {
    await ground.close();
  }
}

/** Every answer was its version's, and the table holds each once. Answers how many requests were logged but not answered. */
async function expectExact(what: string, { ledger, settle }: Ground): Promise<number> {
  expect(ledger.wrong()).toEqual([]);
  const { differences, halfDone } = await settle();
  expect(differences).toEqual(NO_DIFFERENCES);
  console.info(`${what}: ${ledger.size()} rows, ${halfDone} half done,`, ledger.outcomes());
  return halfDone;
}

const AWAY_MS = 20_000;
const OUTAGES = 3;
const KILLS = 10;
const SWAPS = 200;
const EACH_BROKEN = 20;

describe.concurrent('a client that keeps a ledger', { timeout: 1_800_000 }, () => {
  test('Postgres killed and away for 20 s, three times: every prediction is answered, none is lost or stored twice', async () => {
    const folder = await temporaryFolder('postgres');
    const options = { dataDir: join(folder.path, 'data'), durable: false };
    let own = await startEmbeddedPostgres({ ...options, port: 0 });
    try {
      await withServing({ server: own.url, processes: 2 }, async (ground) => {
        const load = ground.startLoad();
        for (let outage = 0; outage < OUTAGES; outage++) {
          await load.goesOn(1_000);
          process.kill(own.pid, 'SIGKILL');
          await own.ended;
          for (let part = 0; part < 4; part++) {
            await delay(AWAY_MS / 4);
            await load.goesOn(1);
          }
          // The next kill comes while the spool is being shipped.
          own = await startEmbeddedPostgres({ ...options, port: own.port });
        }
        await load.goesOn(1_000);
        await load.stop();
        expect(await expectExact('Postgres away', ground)).toBe(0);
        expect(Object.keys(ground.ledger.outcomes())).toEqual(['ok']);
      });
    } finally {
      await own.stop();
      await folder.remove();
    }
  });

  test('the serving process killed ten times: no acknowledged prediction is lost or stored twice', () =>
    withServing({}, async (ground) => {
      const load = ground.startLoad();
      for (let kill = 0; kill < KILLS; kill++) {
        await load.goesOn(500);
        ground.kill('SIGKILL');
        expect(await ground.exited()).toBe('SIGKILL');
        await ground.start();
        await ground.ready();
      }
      await load.goesOn(500);
      await load.stop();
      expect(await expectExact('one process killed', ground)).toBeLessThanOrEqual(KILLS * CONNECTIONS);
    }));

  test('of two serving processes one, the other or all killed, ten times: no acknowledged prediction is lost or stored twice', () =>
    withServing({ processes: 2 }, async (ground) => {
      const load = ground.startLoad();
      for (let kill = 0; kill < KILLS; kill++) {
        await load.goesOn(500);
        const pids = await ground.pids();
        const isWhole = kill % 5 === 4;
        if (isWhole) ground.kill('SIGKILL');
        const killed = isWhole ? pids : [pids[kill % 2]!];
        for (const pid of killed) process.kill(pid, 'SIGKILL');
        await vi.waitFor(() => expect(killed.filter((pid) => isAliveAs(pid, 'serving'))).toEqual([]), SOON);
        if (isWhole) {
          expect(await ground.exited()).toBe('SIGKILL'); // the port is free
          await ground.start();
        }
        await ground.ready();
      }
      await load.goesOn(500);
      await load.stop();
      expect(await expectExact('two processes killed', ground)).toBeLessThanOrEqual(KILLS * CONNECTIONS);
    }));

  test('200 hot swaps: every prediction is answered, as the version it names answers', () =>
    withServing({}, async (ground) => {
      const versions = [await ground.registerGood(await exampleModel(1)), 1];
      const load = ground.startLoad();
      for (let swap = 0; swap < SWAPS; swap++) {
        expect(await ground.deploy(versions[swap % 2]!)).toBe(swap + 2);
        await load.goesOn(1);
      }
      await load.stop();
      expect(await expectExact('swaps', ground)).toBe(0);
      expect(Object.keys(ground.ledger.outcomes())).toEqual(['ok']);
    }));

  test('100 deployments of broken models: each fails with its reason, and no prediction does', () =>
    withServing({}, async (ground) => {
      const good = await exampleModel(1);
      const load = ground.startLoad();
      for (let index = 0; index < EACH_BROKEN; index++) {
        for (const [register, reason] of BROKEN) {
          const version = await register(ground, good, index);
          expect(await ground.deploy(version).then(String, String)).toMatch(reason);
        }
      }
      await load.goesOn(1);
      await load.stop();
      expect(await expectExact('broken models', ground)).toBe(0);
      expect(Object.keys(ground.ledger.outcomes())).toEqual(['ok']);
    }));
});

/** Registers a broken version; its deployment fails with the reason. */
type Broken = readonly [
  register: (ground: Ground, good: ExampleModel, index: number) => Promise<number>,
  reason: RegExp,
];
const BROKEN: readonly Broken[] = [
  [
    ({ register }, good, index) =>
      register({ ...good, onnx: good.onnx.slice(0, ((index + 1) * good.onnx.length) / (EACH_BROKEN + 2)) }),
    /the model file (does not load|lacks input)/,
  ],
  [
    ({ register }, good, index) => {
      const { inputs } = good.signature;
      const more = { name: `more_${index}`, type: 'numeric', nullable: true } as const;
      return register({ ...good, signature: { ...good.signature, inputs: [...inputs, more] } });
    },
    /the model file lacks input more_\d+ of its signature/,
  ],
  [
    async ({ register }, { golden }) => register({ ...(await exampleModel(NaN)), golden }),
    /golden row 0: the model answers NaN/,
  ],
  [
    ({ register }, { golden, ...good }, index) => {
      const off = (probability: number, row: number) => probability + (row === index % 3 ? 1e-4 : 0);
      return register({ ...good, golden: { ...golden, probabilities: golden.probabilities.map(off) } });
    },
    /golden row [012]: the model answers 0\.\d+, not 0\.\d+/,
  ],
  [
    ({ register }, good, index) => register(good, { onnxSha256: String(index).padStart(64, '0') }),
    /artifact '0{60}\d+' does not exist/,
  ],
];
