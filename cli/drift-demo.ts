import { setTimeout as delay } from 'node:timers/promises';
import { churn, churnRows, DEARER_MARKET } from '../pipelines/churn.ts';
import type { PipelineDefinitionInput } from '../pipelines/definition.ts';
import type { RawRow } from '../ml/signature.ts';
import { followRun, type DemoUrls } from './demo.ts';
import { createRest, type Rest } from './rest.ts';
import { fetchWith } from './session.ts';

const WINDOW = 1_000; // BUFFER_SIZE, unless it is set
const PATIENCE_MS = 120_000;

/** Trains again after two windows in which a fifth of the features have drifted. */
const watchedChurn: PipelineDefinitionInput = {
  ...churn,
  drift: { drift_share: 0.2 },
  retraining: { on_drift: { windows: 2 }, min_new_labels: WINDOW },
};

interface Report {
  readonly sequence: number;
  readonly rows: number;
  readonly drifted: boolean;
  readonly columns: readonly {
    readonly column: string;
    readonly method: string;
    readonly score: number;
    readonly threshold: number;
    readonly drifted: boolean;
  }[];
}

/**
 * After `runDemo`: customers as ever, then customers in a dearer market whose fate becomes known. The reports say which
 * columns have drifted, training starts by itself, and a new version is served. The token must allow all of that.
 */
export async function runDriftDemo(
  urls: DemoUrls,
  token: string,
  terminal: NodeJS.WriteStream = process.stdout,
): Promise<void> {
  const say = (line: string) => void terminal.write(`${line}\n`);
  const call = fetchWith(token);
  const [api, serving] = [createRest(call, urls.api), createRest(call, urls.serving)];
  await api.put('/api/v1/pipelines/churn', watchedChurn);
  const before = (await reportsOf(api)).at(0)?.sequence ?? 0;
  let windows = before;
  const window = async (title: string, rows: Iterable<RawRow>) => {
    await scoreAndLabel(api, serving, [...rows]);
    const report = await until(async () => (await reportsOf(api)).find(({ sequence }) => sequence === windows + 1));
    windows++;
    say(
      `\n${title}: report ${report.sequence} on ${report.rows} predictions, ${report.drifted ? 'drifted' : 'no drift'}`,
    );
    for (const { column, method, score, threshold, drifted } of report.columns)
      say(`  ${drifted ? '✗' : '✓'} ${column.padEnd(24)} ${method} ${score.toFixed(3)}, threshold ${threshold}`);
  };
  await window('Customers as ever', churnRows(WINDOW, 101));
  await window('Prices rise by half', churnRows(WINDOW, 102, DEARER_MARKET));
  await window('They stay high', churnRows(WINDOW, 103, DEARER_MARKET));

  const { run_id: runId, model } = await until(async () =>
    (await retrainingsOf(api)).find(({ run_id, sequence }) => run_id !== null && sequence > before),
  );
  say(`\nTraining has started by itself: ${runId}\n`);
  await until(() => api.get(`/api/v1/runs/${runId}`).catch(() => undefined));
  const status = await followRun(call, urls.api, runId!, terminal);
  say(`\n${status.model!.uri} is deployed. Test ROC AUC ${status.metrics.roc_auc!.toFixed(4)}`);
  say(`\nHow version ${model.version} did, window by window:`);
  const performance = await until(async () => {
    const found = await performanceOf(api, model.version);
    return found.every(({ realised }) => realised !== null) ? found : undefined; // labels count a moment later
  });
  for (const { sequence, realised, estimated } of performance.toReversed())
    say(
      `  ${sequence}  Brier score ${shown(realised?.brier)} by ${realised?.labelled ?? 0} labels, ${shown(estimated?.brier)} as estimated without`,
    );
  say(`\nReports            ${urls.api}/reports`);
}

/** Scores customers and says at once what became of them. */
async function scoreAndLabel(api: Rest, serving: Rest, customers: readonly RawRow[]): Promise<void> {
  const rows = customers.map(({ churned: _, ...features }) => features);
  const { predictions } = await serving.post<{ predictions: { prediction_id: string }[] }>(
    '/api/v1/predict/churn/batch',
    { rows },
  );
  const labels = predictions.map(({ prediction_id }, row) => ({
    prediction_id,
    label: String(customers[row]!.churned),
  }));
  await api.post('/api/v1/labels', { labels });
}

const reportsOf = async (api: Rest) =>
  (await api.get<{ items: Report[] }>('/api/v1/drift-reports?endpoint=churn&limit=5')).items;
const retrainingsOf = async (api: Rest) =>
  (await api.get<{ items: Retraining[] }>('/api/v1/retrainings?endpoint=churn&limit=5')).items;

interface Retraining {
  readonly sequence: number;
  readonly run_id: string | null;
  readonly model: { readonly version: number };
}
interface Performance {
  readonly sequence: number;
  readonly realised: { readonly labelled: number; readonly brier: number } | null;
  readonly estimated: { readonly brier: number } | null;
}
const performanceOf = async (api: Rest, version: number) =>
  (await api.get<{ items: Performance[] }>(`/api/v1/endpoints/churn/performance?version=${version}`)).items;
const shown = (metric?: number) => metric?.toFixed(3) ?? 'none';

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error('nothing came of it in two minutes');
    await delay(500);
  }
}
