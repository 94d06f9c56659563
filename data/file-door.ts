import { open } from 'node:fs/promises';
import { PlatformError } from '../lib/errors.ts';
import { createLimitedProcesses, type LimitedProcesses } from '../lib/limited-process.ts';
import type { SourceFormat } from './file-head.ts';
import { createByteCheck, type ByteCheck, type Refuse } from './incoming-bytes.ts';
import type { ParquetCheckInput, ParquetCheckOutput } from './parquet-check.ts';

/** What every file from outside passes before it is kept. Errors are INVALID and name `field`. */
export interface FileDoor {
  /** To be called with each chunk of the file as it comes in. */
  readonly byteCheck: (format: SourceFormat, field: string) => ByteCheck;
  /** To be called with the complete file. Throws UNAVAILABLE when too many files wait for their check. */
  readonly inspect: (file: IncomingFile) => Promise<void>;
}
export interface IncomingFile {
  readonly path: string;
  readonly format: SourceFormat;
  readonly field: string;
  readonly signal?: AbortSignal;
}

const CHECKS = { concurrent: 2, waiting: 32 } as const;
const MEMORY_BYTES = 384 * 2 ** 20;
const TIMEOUT_MS = 20_000;

export function createFileDoor(processes: LimitedProcesses = createLimitedProcesses(CHECKS)): FileDoor {
  return {
    byteCheck: (format, field) => createByteCheck(format, refusing(field)),
    inspect: async (file) => {
      if (file.format === 'parquet') await inspectParquet(processes, file);
    },
  };
}

const refusing =
  (field: string): Refuse =>
  (rule, message) =>
    new PlatformError('INVALID', `the file ${message}`, {
      details: [{ path: field, rule, message: `the file ${message}` }],
    });

async function inspectParquet(processes: LimitedProcesses, { path, field, signal }: IncomingFile): Promise<void> {
  const refuse = refusing(field);
  const dataEnd = await readDataEnd(path, refuse);
  const input: ParquetCheckInput = { file: path, dataEnd };
  const problem = await processes<ParquetCheckOutput>(
    {
      script: new URL('parquet-check.ts', import.meta.url),
      memoryBytes: MEMORY_BYTES,
      timeoutMs: TIMEOUT_MS,
      refuse: (limit, message) => refuse(limit, `cannot be checked: reading its description ${message}`),
    },
    input,
    signal,
  );
  if (problem) throw refuse(problem.rule, problem.message);
}

const MAGIC = 'PAR1';
/** Length of the footer, then the magic. */
const END_BYTES = 8;
const MAX_FOOTER_BYTES = 16 * 2 ** 20;

/** Where a Parquet file's data ends and its footer begins. */
async function readDataEnd(path: string, refuse: Refuse): Promise<number> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const end = Buffer.alloc(END_BYTES);
    if (size >= MAGIC.length + END_BYTES) await handle.read(end, 0, END_BYTES, size - END_BYTES);
    if (end.toString('latin1', 4) !== MAGIC) throw refuse('parquet', 'is truncated Parquet: its end is missing');
    const footer = end.readUInt32LE(0);
    if (footer > MAX_FOOTER_BYTES) {
      throw refuse('footer_size', `says its description has ${footer} bytes; at most ${MAX_FOOTER_BYTES} are read`);
    }
    if (footer > size - END_BYTES - MAGIC.length) throw refuse('footer_size', 'is smaller than its own description');
    return size - END_BYTES - footer;
  } finally {
    await handle.close();
  }
}
