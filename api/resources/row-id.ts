import { z } from '@hono/zod-openapi';

/** Number of a row, as a path parameter. */
export const RowId = z.coerce.number().int().min(1).max(0x7fffffff);
