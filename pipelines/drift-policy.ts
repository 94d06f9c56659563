import { z } from 'zod';
import { DRIFT_METHODS } from '../ml/drift/drift-report.ts';
import { ColumnName } from './names.ts';

/** How predictions are watched. */
export const DriftPolicy = z.strictObject({
  /** Features that are left out of the comparison. */
  ignore: z.array(ColumnName).max(1000).default([]),
  /** Column → what replaces the choice by type and size; `prediction` and `target` are columns here, too. */
  columns: z
    .record(
      ColumnName,
      z.strictObject({ method: z.enum(DRIFT_METHODS).optional(), threshold: z.number().gt(0).optional() }),
    )
    .default({}),
  /** The window has drifted when at least this share of the features has. */
  drift_share: z.number().gt(0).max(1).default(0.5),
  /** Of p-values, for many tests at once find something by chance. */
  correction: z.enum(['none', 'bonferroni', 'benjamini_hochberg']).default('none'),
  /** Windows with fewer predictions are described, not judged. */
  min_rows: z.int().min(1).default(500),
});
