import { threadTask } from '../lib/thread-task.ts';
import type { DriftReport } from '../ml/drift/drift-report.ts';
import type { WindowSketches } from '../ml/drift/window-sketches.ts';
import { addWindows, reportOfSketches } from '../ml/drift/windows-together.ts';
import { loadJson } from './tasks/store.ts';

/** A thread of the api. Input: SHA-256 of the sketches of windows of one version, the oldest first; at least one. */
export const addUpWindows = threadTask(async ([first, ...others]: readonly string[]): Promise<DriftReport> => {
  let sum = await loadJson<WindowSketches>(first!);
  for (const sha256 of others) sum = addWindows(sum, await loadJson<WindowSketches>(sha256));
  return reportOfSketches(sum);
});
