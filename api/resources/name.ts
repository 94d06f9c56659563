import { z } from '@hono/zod-openapi';

/** Of pipelines, models, datasets and endpoints. */
export const Name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'lower-case letters, digits and dashes, at most 63, starting with a letter');
