import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PlatformError } from '../lib/errors.ts';
import { READY_PIPELINES, type ReadyPipelineName } from '../pipelines/ready.ts';
import { sampleCsv } from '../pipelines/sample-data.ts';

/** `anneal sample <pipeline> [rows] [seed]`: streams CSV to standard output, or any other stream. Throws INVALID. */
export async function writeSample(args: readonly string[], out: NodeJS.WritableStream = process.stdout): Promise<void> {
  const [name = '', rows = '10000', seed = '7'] = args;
  if (!Object.hasOwn(READY_PIPELINES, name)) {
    throw new PlatformError(
      'INVALID',
      `no sample data for '${name}'; name one of ${Object.keys(READY_PIPELINES).join(', ')}`,
    );
  }
  const lines = sampleCsv(name as ReadyPipelineName, wholeNumber('rows', rows), wholeNumber('seed', seed));
  await pipeline(Readable.from(lines), out, { end: false });
}

function wholeNumber(what: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new PlatformError('INVALID', `${what} must be a whole number, at most nine digits, not '${text}'`);
}
