import { expect, test } from 'vitest';
import { createOnnxSession, scoreRows } from '../../../lib/onnx-session.ts';
import type { RawColumn, RawColumns } from '../../../ml/feature-matrix.ts';
import type { RawRow } from '../../../ml/signature.ts';
import { writeOnnx } from '../../../ml/onnx/write.ts';
import { scoreColumns } from '../../../workers/tasks/model-inputs.ts';
import { features, linear, sampleRows, signature } from '../../ml/onnx/sample.ts';

/** As a Parquet file gives them. */
function columnsOf(rows: readonly RawRow[]): RawColumns {
  const columns = features.inputs.map(({ name, type }): [string, RawColumn] => {
    const values = rows.map((row) => row[name] ?? null);
    if (type === 'numeric' || type === 'boolean') {
      return [name, Float32Array.from(values, (value) => (value === null ? NaN : Number(value)))];
    }
    const categories = [...new Set(values.filter((value) => value !== null))] as (string | number)[];
    const codes = Int32Array.from(values, (value) => (value === null ? -1 : categories.indexOf(value as string)));
    return [name, { codes, categories }];
  });
  return { rows: rows.length, columns: Object.fromEntries(columns) };
}

test('columns are scored as their rows are, missing values and more rows than one slice included', async () => {
  const session = await createOnnxSession(writeOnnx({ model: linear(1), features, signature, metadata: {} }));
  const rows = sampleRows(2500, 3);
  expect(rows.filter((row) => Object.values(row).includes(null)).length).toBeGreaterThan(100);
  const byColumns = await scoreColumns(session, signature.inputs, columnsOf(rows));
  const byRows = await scoreRows(session, signature, rows);
  expect(byColumns).toHaveLength(2500);
  const farthest = byRows.reduce((most, value, row) => Math.max(most, Math.abs(value - byColumns[row]!)), 0);
  expect(farthest).toBeLessThanOrEqual(1e-6);
  expect(new Set(byRows).size).toBeGreaterThan(100);
  await session.release();
});
