import { copyFile, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComputedWindow, ComputeWindowInput } from '../../activities/drift-window.ts';
import { writeWindowArchive } from '../../data/drift-archive.ts';
import { compareWindow, type ComparedWindow } from '../../data/drift-window.ts';
import { PlatformError } from '../../lib/errors.ts';
import { threadTask } from '../../lib/thread-task.ts';
import { estimatePerformance } from '../../ml/drift/estimated-performance.ts';
import type { WindowReport } from '../../ml/drift/window-report.ts';
import { windowPage } from '../../pages/window-page.ts';
import { duckdbLimits, inDirectory, putJson, store } from './store.ts';

/** From the rows of a window to its files and what its row of `drift_reports` says. */
export const computeWindow = threadTask((input: ComputeWindowInput) =>
  inDirectory('drift-window', async (directory): Promise<ComputedWindow> => {
    const duckdb = duckdbLimits(directory);
    const tables = { reference: join(directory, 'reference.parquet'), current: join(directory, 'window.parquet') };
    const { inputs } = input.signature;
    const rows = await writeWindowArchive({ rowsFile: input.rows_file, inputs, path: tables.current }, duckdb);
    if (rows !== input.window.rows) throw new Error(`the window has ${input.window.rows} rows, its file ${rows}`);
    await fetchReference(input.reference, tables.reference);
    const compared = await compareWindow({ tables, inputs, settings: input.drift }, duckdb);
    const report = reportOf(input, compared);
    return {
      ...summaryOf(report),
      report_sha256: await putJson(report),
      page_sha256: (await store.put(Buffer.from(windowPage(report)))).sha256,
      archive_sha256: (await store.putFile(tables.current)).sha256,
      sketches_sha256: await putJson(compared.sketches),
    };
  }),
);

/** A copy: a file that changes while it is read would make a report of neither. */
async function fetchReference(reference: ComputeWindowInput['reference'], path: string): Promise<void> {
  if ('sha256' in reference) return void (await store.getFile(reference.sha256, path));
  await copyFile(reference.path, path).catch((cause: unknown) => {
    throw badReference('file', 'does not exist or may not be read', cause);
  });
  const magic = Buffer.alloc(4);
  const file = await open(path);
  await file.read(magic).finally(() => file.close());
  if (magic.toString() !== 'PAR1') throw badReference('parquet', 'is not a Parquet file');
}

const badReference = (rule: string, message: string, cause?: unknown) =>
  new PlatformError('INVALID', `REFERENCE_DATA_PATH: the file ${message}`, {
    details: [{ path: 'REFERENCE_DATA_PATH', rule, message }],
    cause,
  });

function reportOf(input: ComputeWindowInput, { report, probabilities }: ComparedWindow): WindowReport {
  const { endpoint, sequence, model, window, signature, calibrated, history = [] } = input;
  const { first_at, last_at, closed_at } = window;
  return {
    ...{ endpoint, sequence, model: model.name, version: model.version, first_at, last_at, closed_at },
    ...report,
    estimate: calibrated ? estimatePerformance(probabilities, signature.threshold) : null,
    history,
  };
}

const summaryOf = ({ judged, drifted, features, columns, estimate }: WindowReport) => ({
  judged,
  drifted,
  drifted_share: features.share,
  prediction_drifted: columns.some((column) => column.role === 'prediction' && column.drifted),
  columns: columns.map(({ distribution: _, ...column }) => column),
  estimate,
});
