import { createReadStream } from 'node:fs';
import { PlatformError } from '../lib/errors.ts';
import { createLimitedProcesses, type LimitedProcesses } from '../lib/limited-process.ts';
import type { SourceFormat } from './file-head.ts';
import type { LabelFileInput } from './label-file.ts';
import type { LabelRow } from './label-rows.ts';

export interface LabelFile {
  readonly path: string;
  readonly format: SourceFormat;
  readonly signal?: AbortSignal;
}
/**
 * The rows of a file, some at a time. Throws DATA_CONTRACT or INVALID where it cannot be read or lacks a column, UNAVAILABLE
 * when too many files wait.
 */
export type ReadLabelFile = (file: LabelFile, atOnce: number) => AsyncIterable<readonly LabelRow[]>;

const LIMITS = { concurrent: 2, waiting: 8 } as const;
const MEMORY_BYTES = 512 * 2 ** 20;
const TIMEOUT_MS = 120_000;

export function createLabelFileReader(processes: LimitedProcesses = createLimitedProcesses(LIMITS)): ReadLabelFile {
  return async function* ({ path, format, signal }, atOnce) {
    const input: LabelFileInput = { file: path, format, rows: `${path}.rows` };
    const work = {
      script: new URL('label-file.ts', import.meta.url),
      memoryBytes: MEMORY_BYTES,
      timeoutMs: TIMEOUT_MS,
      refuse: (rule: string, message: string) =>
        new PlatformError('INVALID', `the file cannot be read: that ${message}`, {
          details: [{ path: 'body', rule, message: `reading the file ${message}` }],
        }),
    };
    await processes<null>(work, input, signal);
    yield* inBatches(input.rows, atOnce);
  };
}

async function* inBatches(path: string, atOnce: number): AsyncGenerator<readonly LabelRow[]> {
  let batch: LabelRow[] = [];
  for await (const line of linesOf(path)) {
    batch.push(JSON.parse(line) as LabelRow);
    if (batch.length < atOnce) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** By line feeds alone: `readline` would break a line at U+2028, too, which JSON may hold. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
}
