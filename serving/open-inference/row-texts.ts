import type { SentColumn } from './fill-rows.ts';

/** Each row as JSON, the features as they were sent: a float32 is the double of the same value, a missing one null. */
export function rowTexts(columns: readonly SentColumn[], rows: number): string[] {
  const texts = new Array<string>(rows).fill('');
  for (const [index, { name, values }] of columns.entries()) {
    const key = `${index > 0 ? ',' : '{'}${JSON.stringify(name)}:`;
    if (values instanceof DataView) {
      for (let row = 0; row < rows; row++) texts[row] += key + numberText(values.getFloat32(row * 4, true));
    } else {
      for (let row = 0; row < rows; row++) texts[row] += key + JSON.stringify(values[row]);
    }
  }
  return texts.map((text) => (text === '' ? '{}' : `${text}}`));
}

const numberText = (value: number) => (Number.isNaN(value) ? 'null' : String(value));
