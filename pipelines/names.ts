import { z } from 'zod';

export const Slug = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, at most 63, starting with a letter');
/** Column names are also ONNX input names and identifiers of derived expressions. */
export const ColumnName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'letters, digits and underscores, at most 100, not starting with a digit');
