import type { InputColumn } from '../../ml/features.ts';
import { MAX_FLOAT32 } from '../row-validator.ts';
import { MISSING_INTEGER } from '../../lib/model-feeds.ts';
import type { RowBuffers, RowLayout } from '../scoring/row-buffers.ts';

/** Takes a value that was not written, because it may break a rule. Null is missing. */
export type Doubt = (row: number, value: unknown) => void;
/** Writes a value per row to a column of packed rows. */
export type ColumnFiller = (buffers: RowBuffers, values: readonly unknown[], doubt: Doubt) => void;

/** A loop per type: one that asks for the type of every value takes five times as long. */
export function compileColumnFiller(input: InputColumn, layout: RowLayout): ColumnFiller {
  switch (input.type) {
    case 'numeric':
      return numericFiller(input, layout.numbers);
    case 'boolean':
      return booleanFiller(input, layout.numbers);
    case 'categorical_string':
      return textFiller(input, layout.texts);
    case 'categorical_integer':
      return integerFiller(input, layout.integers);
  }
}

function numericFiller({ name, nullable }: InputColumn, names: readonly string[]): ColumnFiller {
  return ({ numbers }, values, doubt) => {
    for (let row = 0, at = names.indexOf(name); row < values.length; row++, at += names.length) {
      const value = values[row];
      if (typeof value === 'number' && value >= -MAX_FLOAT32 && value <= MAX_FLOAT32) numbers[at] = value;
      else if (value === null && nullable) numbers[at] = NaN;
      else doubt(row, value);
    }
  };
}

function booleanFiller({ name, nullable }: InputColumn, names: readonly string[]): ColumnFiller {
  return ({ numbers }, values, doubt) => {
    for (let row = 0, at = names.indexOf(name); row < values.length; row++, at += names.length) {
      const value = values[row];
      if (typeof value === 'boolean') numbers[at] = value ? 1 : 0;
      else if (value === null && nullable) numbers[at] = NaN;
      else doubt(row, value);
    }
  };
}

function textFiller({ name, nullable }: InputColumn, names: readonly string[]): ColumnFiller {
  return ({ texts }, values, doubt) => {
    for (let row = 0, at = names.indexOf(name); row < values.length; row++, at += names.length) {
      const value = values[row];
      if (typeof value === 'string' && !value.includes('\0')) texts[at] = value;
      else if (value === null && nullable) texts[at] = '';
      else doubt(row, value);
    }
  };
}

function integerFiller({ name, nullable }: InputColumn, names: readonly string[]): ColumnFiller {
  return ({ integers }, values, doubt) => {
    for (let row = 0, at = names.indexOf(name); row < values.length; row++, at += names.length) {
      const value = values[row];
      if (Number.isSafeInteger(value)) integers[at] = BigInt(value as number);
      else if (value === null && nullable) integers[at] = MISSING_INTEGER;
      else doubt(row, value);
    }
  };
}

/** The same for a numeric column whose values are float32 in bytes; NaN is missing. Four times as fast. */
export function compileFloatFiller({ name, nullable }: InputColumn, { numbers: names }: RowLayout) {
  return ({ numbers }: RowBuffers, view: DataView, doubt: Doubt): void => {
    for (let from = 0, at = names.indexOf(name); from < view.byteLength; from += 4, at += names.length) {
      const value = view.getFloat32(from, true);
      numbers[at] = value;
      if (!Number.isFinite(value) && !(nullable && Number.isNaN(value)))
        doubt(from / 4, Number.isNaN(value) ? null : value);
    }
  };
}
