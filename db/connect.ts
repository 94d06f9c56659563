import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import type { Sql } from 'postgres';
import { openPostgres } from '../lib/postgres-client.ts';

export type Database = PostgresJsDatabase;
/** What a query needs: the database or a transaction on it. */
export type Queries = Pick<Database, 'select' | 'insert' | 'update' | 'delete' | 'execute'>;
export interface Connection {
  readonly db: Database;
  /** For LISTEN / NOTIFY and other things drizzle has no words for. Dates come and go as text. */
  readonly sql: Sql;
  /** Waits up to 5 s for running queries. */
  readonly close: () => Promise<void>;
}

/** Opens a pool; connections are made when first needed, so this never fails by itself. */
export function connect(databaseUrl: string, { max = 10 }: { readonly max?: number } = {}): Connection {
  const sql = openPostgres(databaseUrl, { max, backoff: reconnectSeconds });
  return { db: drizzle(sql), sql, close: () => sql.end({ timeout: 5 }) };
}

// The driver's own grows to 20 s, so that a process would be missing long after a restarted database answers others.
const reconnectSeconds = (attempt: number) => (0.5 + Math.random() / 2) * Math.min(2 ** attempt / 100, 1);
