import { z } from '@hono/zod-openapi';
import { PROBLEM_HEADERS } from '../../lib/http/problem-schema.ts';

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().openapi({ description: 'Stable; made for programs', example: 'NOT_FOUND' }),
    detail: z.string(),
    request_id: z.string(),
    errors: z.array(
      z.object({
        path: z.string().openapi({ description: 'The field, header or parameter', example: 'source.connection' }),
        rule: z.string(),
        message: z.string(),
      }),
    ),
  })
  .openapi('Problem');

const MEANINGS = {
  400: 'Not HTTP, not UTF-8 or not JSON',
  401: 'No valid access token or API key',
  403: 'The caller’s role or key does not allow this',
  404: 'Something the request names does not exist',
  409: 'In conflict with what is there',
  413: 'The body is too large',
  415: 'A body of another media type, or compressed',
  422: 'One entry in `errors` per bad field',
  429: 'Too many requests; see Retry-After',
  503: 'Something the request needs cannot be reached; see Retry-After',
} as const;
type ProblemStatus = keyof typeof MEANINGS;

/** The error answers of a route, for its `responses`. */
export const problems = <const Statuses extends readonly ProblemStatus[]>(...statuses: Statuses) =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: MEANINGS[status],
        headers: PROBLEM_HEADERS[status],
        content: { 'application/problem+json': { schema: Problem } },
      },
    ]),
    // The handlers throw these, so their types play no part in the typed client's answers.
  ) as unknown as Record<never, never>;

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

/** A JSON body that must be there: without `required` a missing Content-Type would pass as `{}`. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true as const,
  content: { 'application/json': { schema } },
});
