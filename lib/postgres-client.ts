import postgres, { type Options, type Sql } from 'postgres';

/**
 * Opens a pool; connections are made when first needed. Arrays in raw queries come and go as text: the driver would read
 * their types on each new connection, and when that one is lost meanwhile, a rejection that nobody handles ends the process.
 */
export const openPostgres = (url: string, options: Options<Record<string, never>>): Sql =>
  postgres(url, { fetch_types: false, onnotice: () => undefined, ...options });
