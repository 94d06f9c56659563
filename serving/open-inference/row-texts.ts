import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ModelSignature } from '../../ml/signature.ts';
import type { SentValues } from './fill-rows.ts';

const SLICE_ROWS = 256; // between which other requests get a turn

/** Each row as JSON, by name, its features as they were sent: a float32 is the double of the same value. */
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
    for (let row = 0; row < rows; row++) {
      if (row % SLICE_ROWS === SLICE_ROWS - 1) await nextTurn();
      const values = sent.map((column) =>
        column instanceof DataView ? column.getFloat32(row * 4, true) : column?.[row],
      );
      texts.push(JSON.stringify(rowOf(values))); // without what is undefined, and null for NaN
    }
    return texts;
  };
}
