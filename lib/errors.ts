/** Every failure the platform expects. Anything else is a bug and answers INTERNAL. */
export type ErrorCode =
  | 'NOT_FOUND'
  | 'CONFLICT'
  | 'INVALID'
  | 'DATA_CONTRACT'
  | 'QUALITY_GATE'
  | 'MODEL_INVALID'
  | 'DEPLOYMENT_FAILED'
  | 'TOO_LARGE'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'METHOD_NOT_ALLOWED'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE';

/** One broken rule: where (field, column, row or variable) and what the rule says. */
export interface ErrorDetail {
  readonly path: string;
  readonly rule: string;
  readonly message: string;
}

export interface PlatformErrorOptions extends ErrorOptions {
  /** One entry per broken rule, in the order they were found. */
  readonly details?: readonly ErrorDetail[];
  /** When trying again may help. */
  readonly retryAfterSeconds?: number;
}

/** A failure with a stable code. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError';
  readonly code: ErrorCode;
  readonly details: readonly ErrorDetail[];
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: PlatformErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.details = options.details ?? [];
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export const notFound = (entity: string, id: string) =>
  new PlatformError('NOT_FOUND', `${entity} '${id}' does not exist`);

/** What `work` gives, or null where it throws NOT_FOUND. */
export async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof PlatformError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
