const STRING = { type: 'string' } as const;
const header = (description: string) => ({ description, required: true, schema: STRING });

/** JSON Schema of `Problem`. */
export const PROBLEM_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['type', 'title', 'status', 'code', 'detail', 'request_id', 'errors'],
  properties: {
    type: { const: 'about:blank' },
    title: STRING,
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable; made for programs', example: 'NOT_FOUND' },
    detail: STRING,
    request_id: STRING,
    errors: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['path', 'rule', 'message'],
        properties: { path: STRING, rule: STRING, message: STRING },
      },
    },
  },
};

const RETRY_AFTER = { 'Retry-After': header('Seconds to wait') };
/** Headers that answers of a status carry besides X-Request-Id, which all do. */
export const PROBLEM_HEADERS: Readonly<
  Record<number, Readonly<Record<string, ReturnType<typeof header>>> | undefined>
> = {
  401: { 'WWW-Authenticate': header('Bearer') },
  429: RETRY_AFTER,
  503: RETRY_AFTER,
};
