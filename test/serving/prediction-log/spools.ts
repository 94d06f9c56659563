import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createCounterMemory, openSpoolCounters } from '../../../serving/prediction-log/spool-counters.ts';
import type { SpoolSettings } from '../../../serving/prediction-log/spool-writer.ts';
import { temporaryFolder } from '../../platform.ts';

/** Settings of a spool in a temporary folder that goes with the test. */
export async function temporarySpool(changes: Partial<SpoolSettings> = {}) {
  const { path, remove } = await temporaryFolder('spool');
  onTestFinished(remove);
  const counters = createCounterMemory();
  const folder = join(path, 'spool');
  const settings: SpoolSettings = { folder, maxBytes: 2 ** 30, whenFull: 'refuse', syncMs: 1000, counters, ...changes };
  return { ...settings, settings, read: openSpoolCounters(counters).read };
}

export const segmentsIn = (folder: string) => readdirSync(folder).filter((name) => /^\d{13}-/.test(name)).sort(); // prettier-ignore

/** All that the segments hold, in their order. */
export const textIn = (folder: string) =>
  segmentsIn(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
