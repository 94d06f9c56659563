import { PlatformError } from '../lib/errors.ts';

/** NOT_FOUND with the field that named the missing thing. */
export async function named<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== 'NOT_FOUND') throw error;
    throw new PlatformError('NOT_FOUND', error.message, {
      cause: error,
      details: [{ path, rule: 'exists', message: error.message }],
    });
  }
}
