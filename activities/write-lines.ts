import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Writes lines, which come some at a time, to a file. Answers how many. */
export async function writeLines(
  batches: AsyncIterable<readonly string[]>,
  file: string,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  async function* text() {
    for await (const lines of batches) {
      count += lines.length;
      yield `${lines.join('\n')}\n`;
    }
  }
  await pipeline(Readable.from(text()), createWriteStream(file), { signal });
  return count;
}
