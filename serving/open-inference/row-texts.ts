import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ModelSignature } from '../../ml/signature.ts';
import { ROWS_PER_LINE } from '../prediction-log/lines.ts';
import type { SentValues } from './fill-rows.ts';

/**
 * The rows as JSON arrays, each of what one line of the log takes: features by name, as they were sent, where a float32 is
 * the double of the same value.
 */
export type RowTexts = (sent: readonly SentValues[], rows: number) => Promise<string[]>;

/**
 * Made once for a signature. Most of the time goes into writing the numbers, and JSON.stringify is the fastest at that;
 * that the rows it meets have one shape saves a third. Every name enters the code as a JSON string.
 */
export function compileRowTexts({ inputs }: Pick<ModelSignature, 'inputs'>): RowTexts {
  const members = inputs.map(({ name }, index) => `[${JSON.stringify(name)}]: values[${index}]`);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const rowOf = new Function('values', `'use strict'; return {${members.join(', ')}};`) as (
    values: unknown[],
  ) => object;

  return async (sent, rows) => {
    const texts: string[] = [];
    for (let from = 0; from < rows; from += ROWS_PER_LINE) {
      if (from > 0) await nextTurn(); // others get theirs
      const some: object[] = [];
      for (let row = from; row < Math.min(from + ROWS_PER_LINE, rows); row++) {
        const values = sent.map((column) =>
          column instanceof DataView ? column.getFloat32(row * 4, true) : column?.[row],
        );
        some.push(rowOf(values));
      }
      texts.push(JSON.stringify(some)); // without what is undefined, and null for NaN
    }
    return texts;
  };
}
