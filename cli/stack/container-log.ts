import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { outputRead } from '../output-read.ts';

const LARGEST_LOG_BYTES = 10 * 2 ** 20;

export interface ContainerLogOptions {
  readonly service: string;
  readonly file: string;
  readonly pipe: string;
  readonly onLine: (line: string) => void;
}
export interface ContainerLog {
  /** What the program's output is to be written to. */
  readonly pipe: string;
  /** Ends when the last writer has; a descendant that still has the pipe open must not hold up the rest. */
  readonly close: () => Promise<void>;
}

/**
 * Makes a named pipe and writes every line that comes out of it into `file`, as Docker's driver json-file does. A pipe,
 * for programs open /dev/stdout again, which they can neither with a socket nor, as another user, with our file.
 */
export async function openContainerLog({ service, file, pipe, onLine }: ContainerLogOptions): Promise<ContainerLog> {
  await mkdir(dirname(file), { recursive: true });
  await mkdir(dirname(pipe), { recursive: true });
  await rm(pipe, { force: true });
  await promisify(execFile)('mkfifo', ['-m', '600', pipe]);
  const reader = new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
  const held = openSync(pipe, 'w'); // keeps it open from one start of the program to the next
  let log = openSync(file, 'a');
  let bytes = statSync(file).size;
  const lines = createInterface({ input: reader }).on('line', (line) => {
    bytes += writeSync(log, dockerLine(line, service, new Date()));
    onLine(line);
    if (bytes < LARGEST_LOG_BYTES) return;
    closeSync(log);
    renameSync(file, `${file}.1`);
    log = openSync(file, 'a');
    bytes = 0;
  });
  const closed = once(lines, 'close');
  let closing: Promise<void> | undefined;
  const end = async () => {
    closeSync(held);
    await outputRead(closed);
    lines.close();
    reader.destroy();
    closeSync(log);
  };
  return { pipe, close: () => (closing ??= end()) };
}

/**
 * One line of a file of Docker's driver json-file, with the label that the Compose file asks for. Both outputs of a program
 * go through one pipe, so all is `stdout`.
 */
export function dockerLine(line: string, service: string, time: Date): string {
  const attrs = { 'com.docker.compose.service': service };
  return `${JSON.stringify({ log: `${line}\n`, stream: 'stdout', attrs, time: time.toISOString() })}\n`;
}

/** What the program printed, of a line of the file. */
export const printedLine = (line: string): string => (JSON.parse(line) as { readonly log: string }).log.trimEnd();
