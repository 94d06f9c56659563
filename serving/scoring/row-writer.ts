import { MISSING_INTEGER } from '../../lib/model-feeds.ts';
import type { ModelSignature } from '../../ml/signature.ts';
import { entityRule } from '../entity-rule.ts';
import { MAX_FLOAT32 } from '../row-validator.ts';
import { layoutOf, type RowBuffers } from './row-buffers.ts';

/**
 * Checks a parsed row and writes it to row `index` of the buffers, in one pass. False when the row may break a rule: what
 * was written then means nothing, and `compileRowValidator` says which rule, if any.
 */
export type RowWriter = (row: unknown, buffers: RowBuffers, index: number) => boolean;

/**
 * Code made for one signature: a loop over columns of mixed types takes five times as long. Every name enters it as a
 * JSON string, so no name can be code.
 */
export function compileRowWriter({ inputs, entity }: Pick<ModelSignature, 'inputs' | 'entity'>): RowWriter {
  const layout = layoutOf(inputs);
  const columns = inputs.map(({ name, type, nullable }) => {
    const read = `value = row[${JSON.stringify(name)}];`;
    const [target, missing, present] = columnCode(name, type, layout);
    const absent = nullable
      ? `if (value === null || value === undefined) { if (value === null) seen++; ${target} = ${missing}; }`
      : 'if (value === null || value === undefined) return false;';
    return `${read}\n${absent}\nelse { seen++; ${present} }`;
  });
  const { numbers, texts, integers } = layout;
  const body = `'use strict';
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return false;
    const { numbers, texts, integers } = buffers;
    const n = index * ${numbers.length}, t = index * ${texts.length}, i = index * ${integers.length};
    let value, seen = 0;
    ${columns.join('\n')}
    ${entity === undefined ? '' : entityCode(entity)}
    let keys = 0;
    for (const key in row) keys++;
    return keys === seen;`;
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const compiled = new Function('entityRule', `return (row, buffers, index) => { ${body} };`) as (
    rule: typeof entityRule,
  ) => RowWriter;
  return compiled(entityRule);
}

/** It is checked and written nowhere: what is logged is the row as it was sent. */
const entityCode = (name: string) => `value = row[${JSON.stringify(name)}];
    if (value !== undefined) { seen++; if (value !== null && entityRule(value) !== null) return false; }`;

/** Where a column's value goes, what marks it as missing, and the code that checks and writes one that is there. */
function columnCode(
  name: string,
  type: ModelSignature['inputs'][number]['type'],
  { numbers, texts, integers }: ReturnType<typeof layoutOf>,
): readonly [target: string, missing: string, present: string] {
  switch (type) {
    case 'numeric': {
      const target = `numbers[n + ${numbers.indexOf(name)}]`;
      // NaN and the infinities fail the comparison.
      const check = `typeof value !== 'number' || !(value >= -${MAX_FLOAT32} && value <= ${MAX_FLOAT32})`;
      return [target, 'NaN', `if (${check}) return false; ${target} = value;`];
    }
    case 'boolean': {
      const target = `numbers[n + ${numbers.indexOf(name)}]`;
      return [target, 'NaN', `if (typeof value !== 'boolean') return false; ${target} = value ? 1 : 0;`];
    }
    case 'categorical_string': {
      const target = `texts[t + ${texts.indexOf(name)}]`;
      return [target, "''", `if (typeof value !== 'string' || value.includes('\\0')) return false; ${target} = value;`];
    }
    case 'categorical_integer': {
      const target = `integers[i + ${integers.indexOf(name)}]`;
      return [
        target,
        `${MISSING_INTEGER}n`,
        `if (!Number.isSafeInteger(value)) return false; ${target} = BigInt(value);`,
      ];
    }
  }
}

/** Writes a row that is known to be right, whatever its prototype says about its names. */
export function writeCheckedRow(
  row: Readonly<Record<string, unknown>>,
  { numbers, texts, integers }: ReturnType<typeof layoutOf>,
  buffers: RowBuffers,
  index: number,
): void {
  const value = (name: string) => (Object.hasOwn(row, name) ? row[name] : null) ?? null;
  numbers.forEach((name, at) => {
    const given = value(name);
    buffers.numbers[index * numbers.length + at] = given === null ? NaN : Number(given);
  });
  texts.forEach((name, at) => {
    buffers.texts[index * texts.length + at] = (value(name) as string | null) ?? '';
  });
  integers.forEach((name, at) => {
    const given = value(name) as number | null;
    buffers.integers[index * integers.length + at] = given === null ? MISSING_INTEGER : BigInt(given);
  });
}
