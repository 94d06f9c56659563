import { unauthenticated } from './guard.ts';
import type { Authenticate } from './principal.ts';

/** Refuses everybody, until identities exist. */
export const createAuthenticator = (): Authenticate => () => Promise.reject(unauthenticated());
