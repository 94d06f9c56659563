import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ModelSignature } from '../../ml/signature.ts';
import { ROWS_PER_LINE } from '../prediction-log/lines.ts';
import { loggedNames, type SentValues } from './fill-rows.ts';

/**
 * The rows as JSON arrays, each of what one line of the log takes: features by name, as they were sent, where a float32 is
 * a decimal that stands for the same float32.
 */
export type RowTexts = (sent: readonly SentValues[], rows: number) => Promise<string[]>;

/**
 * Made once for a signature. Most of the time goes into writing the numbers, and JSON.stringify is the fastest at that;
 * that the rows it meets have one shape saves a third. Every name enters the code as a JSON string.
 */
export function compileRowTexts(signature: Pick<ModelSignature, 'inputs' | 'entity'>): RowTexts {
  const names = loggedNames(signature);
  const columns = names.map((_, index) => `c${index}`).join();
  const members = names.map((name, index) => `[${JSON.stringify(name)}]: c${index}?.[row]`).join();
  const body = `'use strict'; const [${columns}] = columns; return {${members}};`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const rowOf = new Function('columns', 'row', body) as (columns: readonly Column[], row: number) => object;

  return async (sent, rows) => {
    const texts: string[] = [];
    for (let from = 0; from < rows; from += ROWS_PER_LINE) {
      if (from > 0) await nextTurn(); // others get theirs
      const to = Math.min(from + ROWS_PER_LINE, rows);
      const slices = sent.map((column) => sliceOf(column, from, to));
      const some: object[] = [];
      for (let row = 0; row < to - from; row++) some.push(rowOf(slices, row));
      texts.push(JSON.stringify(some)); // without what is undefined, and null for NaN
    }
    return texts;
  };
}

type Column = readonly unknown[] | undefined;

function sliceOf(column: SentValues, from: number, to: number): Column {
  if (!(column instanceof DataView)) return column?.slice(from, to);
  const floats: number[] = [];
  for (let row = from; row < to; row++) floats.push(shortest(column.getFloat32(row * 4, true)));
  return floats;
}

const DECIMALS = 1e6;

/** The double of few decimals that rounds to the same float32, else the same value: half the text to keep and to ship. */
function shortest(float: number): number {
  const rounded = Math.round(float * DECIMALS) / DECIMALS;
  return Math.fround(rounded) === float ? rounded : float;
}
