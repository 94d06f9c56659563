import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DriftReport, DriftReportSummary } from '../../api/resources/drift-report.ts';
import { churnRows, DEARER_MARKET } from '../../pipelines/churn.ts';
import { elementsOf, textOf } from '../pages/read-html.ts';
import { startTestPlatform, type TestPlatform } from './platform.ts';

const BUFFER = 500;
const PATH = '/api/v1/drift-reports';

let platform: TestPlatform;
let basic: string;
beforeAll(async () => {
  platform = await startTestPlatform({ BUFFER_SIZE: String(BUFFER), REPORT_FREQUENCY: '3600' });
  const { username, password } = platform.admin;
  basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const dataset = await platform.uploadSample('churn', 3000);
  const run = await platform.train({ pipeline: 'churn', dataset_version: dataset });
  expect(await platform.finished(run)).toMatchObject({ state: 'COMPLETED' });
  await predict(1);
  await predict(2);
});
afterAll(() => platform?.stop());

/** Has a window's customers scored and waits for its report. */
async function predict(sequence: number): Promise<void> {
  const rows = Array.from(churnRows(BUFFER, sequence, DEARER_MARKET), ({ churned: _, ...row }) => row);
  const sent = await platform.send(`${platform.urls.serving}/api/v1/predict/churn/batch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ rows }),
  });
  expect(sent.status).toBe(200);
  const deadline = Date.now() + 180_000;
  while ((await platform.get(`${PATH}/churn/${sequence}`)).status !== 200) {
    if (Date.now() > deadline) throw new Error(`window ${sequence} has no report`);
    await delay(300);
  }
}
const browse = (path: string, headers: Record<string, string>) => fetch(`${platform.urls.api}${path}`, { headers });

test('reports are listed in pages and answered in the form that the API documents', async () => {
  const first = await platform.get<{ items: unknown[]; next_cursor: string }>(`${PATH}?endpoint=churn&limit=1`);
  const second = await platform.get<typeof first.body>(
    `${PATH}?endpoint=churn&limit=1&cursor=${first.body.next_cursor}`,
  );
  const items = [...first.body.items, ...second.body.items].map((item) => DriftReportSummary.strict().parse(item));
  expect(items.map(({ sequence, rows }) => [sequence, rows])).toEqual([
    [2, BUFFER],
    [1, BUFFER],
  ]);
  const { body } = await platform.get(`${PATH}/churn/2`);
  const report = DriftReport.strict().parse(body);
  expect(report.columns.find(({ column }) => column === 'monthly_charges')).toMatchObject({ drifted: true });
  expect(report.history.map(({ sequence }) => sequence)).toEqual([1]);
});

test('the two windows are added up, and find what each of them found', async () => {
  const { status, body } = await platform.get<{ versions: unknown[] }>('/api/v1/endpoints/churn/drift');
  expect(status).toBe(200);
  expect(body.versions).toMatchObject([{ model: 'churn', version: 1, windows: 2, rows: { current: 2 * BUFFER } }]);
  expect(JSON.stringify(body)).toMatch(/"column":"monthly_charges"[^{}]*"drifted":true/);
});

test('the predictions of a window are a Parquet file', async () => {
  const answer = await platform.send(`${platform.urls.api}${PATH}/churn/1/archive`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(['PAR1', 'PAR1']);
});

test('a browser logs in once, finds the report in the list and reads its page', async () => {
  expect((await browse('/reports', {})).headers.get('www-authenticate')).toContain('Basic');
  const list = await browse('/reports?endpoint=churn&verdict=&since=&until=', { authorization: basic });
  const text = await list.text();
  const links = elementsOf(text).flatMap(({ name, attributes }) => (name === 'a' ? [attributes['href']] : []));
  expect(links).toEqual(['/reports/churn/2', '/reports/churn/1']);
  expect(textOf(text)).toContain('monthly_charges');

  const cookie = list.headers.get('set-cookie')!.split(';')[0]!;
  const page = await (await browse('/reports/churn/2', { cookie })).text();
  const columns = elementsOf(page).filter(({ name }) => name === 'section');
  expect(columns).toHaveLength(11); // ten features and the prediction
  expect(textOf(page)).toContain('Drift report churn, window 2');
  expect(page).not.toMatch(/NaN|undefined|\[object/);
});
