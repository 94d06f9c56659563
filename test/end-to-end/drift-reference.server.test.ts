import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { churnRows, DEARER_MARKET } from '../../pipelines/churn.ts';
import { temporaryFolder, type TemporaryFolder } from '../platform.ts';
import { startTestPlatform, type TestPlatform } from './platform.ts';

const ROWS = 500;

interface Reports {
  readonly items: readonly { readonly sequence: number; readonly rows: number; readonly drifted_share: number }[];
}
let home: TemporaryFolder;
beforeAll(async () => void (home = await temporaryFolder('reference')));
afterAll(() => home.remove());

/** Has customers of the dearer market scored, and answers the window they are in. */
async function comparedDearer(platform: TestPlatform, seed: number, sequence: number) {
  const rows = Array.from(churnRows(ROWS, seed, DEARER_MARKET), ({ churned: _, ...row }) => row);
  const predict = async () => {
    const response = await platform.send(`${platform.urls.serving}/api/v1/predict/churn/batch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ rows }),
    });
    expect(response.status).toBe(200);
  };
  await vi.waitFor(predict, { timeout: 60_000, interval: 500 }); // after a start the model is loaded first
  return await vi.waitFor(
    async () => {
      const { body } = await platform.get<Reports>('/api/v1/drift-reports?endpoint=churn');
      const window = body.items.find((item) => item.sequence === sequence);
      expect(window).toMatchObject({ rows: ROWS });
      return window!;
    },
    { timeout: 60_000, interval: 500 },
  );
}

test('a file of REFERENCE_DATA_PATH, such as the archive of a window, takes the place of the sample', async () => {
  const settings = { BUFFER_SIZE: String(ROWS) };
  const reference = join(home.path, 'reference.parquet');
  const first = await startTestPlatform(settings, home.path);
  try {
    const dataset_version = await first.uploadSample('churn', 5000);
    await first.finished(await first.train({ pipeline: 'churn', dataset_version }));
    expect((await comparedDearer(first, 31, 1)).drifted_share).toBeGreaterThan(0);
    const archive = await first.send(`${first.urls.api}/api/v1/drift-reports/churn/1/archive`);
    await writeFile(reference, Buffer.from(await archive.arrayBuffer()));
  } finally {
    await first.stop();
  }
  const second = await startTestPlatform({ ...settings, REFERENCE_DATA_PATH: reference }, home.path);
  try {
    expect((await comparedDearer(second, 32, 2)).drifted_share).toBe(0);
  } finally {
    await second.stop();
  }
});
