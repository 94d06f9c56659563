import { type Access, rolesAllowed, securityOf } from '../auth/roles.ts';
import { PROBLEM_HEADERS } from '../lib/http/problem-schema.ts';

type Status = keyof typeof PROBLEMS;
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly answers: Readonly<Record<number, object>>;
  readonly problems?: readonly Status[];
}

const PROBLEMS = {
  400: 'The request is not HTTP, or its body not UTF-8 or not JSON',
  401: 'No valid access token or API key',
  403: 'The caller’s key does not allow this, or is for other endpoints',
  404: 'No such endpoint',
  413: 'The body is too large',
  415: 'The body is compressed',
  422: 'Fields that break a rule, each named in `errors`',
  429: 'Too many requests',
  503: 'No model is loaded yet',
} as const;

export const PREDICT = ['predict'] as const;
export const IN_PATH = { name: 'endpoint', in: 'path', required: true, schema: { type: 'string', minLength: 1 } };

export const refTo = (schema: string) => ({ $ref: `#/components/schemas/${schema}` });
export const json = (description: string, schema: object) => ({
  description,
  content: { 'application/json': { schema } },
});

/** Operations whose problems have that schema. */
export function operationsWith(problemSchema: string) {
  const problem = (status: Status) => ({
    description: PROBLEMS[status],
    headers: PROBLEM_HEADERS[status],
    content: { 'application/problem+json': { schema: refTo(problemSchema) } },
  });
  const operation = (access: Access, { answers, problems = [], ...described }: Operation) => {
    const refusals: Status[] = access === 'public' ? [400] : [400, 401, 403, 429];
    const failures = [...refusals, ...problems].map((status) => [status, problem(status)]);
    return {
      ...described,
      security: securityOf(access),
      'x-roles': rolesAllowed(access),
      responses: { ...Object.fromEntries(failures), ...answers } as Record<string, object>,
    };
  };
  return {
    get: (access: Access, described: Operation) => ({ get: operation(access, described) }),
    /** For whoever may predict. */
    post: (described: Operation) => ({
      post: operation(PREDICT, { ...described, problems: [404, 413, 415, 422, 503] }),
    }),
  };
}
