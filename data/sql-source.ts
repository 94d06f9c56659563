import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import postgres from 'postgres';
import { openPostgres } from '../lib/postgres-client.ts';
import { PlatformError } from '../lib/errors.ts';

const TIMEOUT_MS = 600_000;
const BOOLEAN_OID = 16;

interface SqlSource {
  readonly connection: string;
  readonly query: string;
}

/**
 * Streams a query's rows into a CSV file with a header, in a read-only transaction. Throws INVALID with the server's
 * message when the query fails or takes longer than `timeoutMs`, UNAVAILABLE when the server cannot be used.
 */
export async function copyQuery(
  url: string,
  { connection, query }: SqlSource,
  outFile: string,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  const sql = openPostgres(url, { max: 1, connect_timeout: 10, idle_timeout: 5 });
  try {
    await sql.begin('isolation level repeatable read read only', async (transaction) => {
      await transaction.unsafe(`SET LOCAL statement_timeout = ${timeoutMs}`);
      const columns = await describe(transaction, query);
      const rows = await copyStream(transaction.unsafe(copySql(columns, query)));
      await pipeline(rows, createWriteStream(outFile));
    });
  } catch (error) {
    throw sourceError(connection, error, timeoutMs);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

// `simple` is missing in the driver's types; without parameters it would send the text as it is.
const EXTENDED_PROTOCOL = { prepare: true, simple: false };

// Prepared, and in parentheses: only one statement that is a query passes. COPY below could otherwise be closed early
// and turned into COPY … TO PROGRAM, or followed by a COMMIT.
async function describe(transaction: postgres.TransactionSql, query: string) {
  const { columns } = await transaction.unsafe(`SELECT * FROM (\n${query}\n) AS source LIMIT 0`, [], EXTENDED_PROTOCOL);
  return columns;
}

// An error that the server sends together with the start of its answer destroys the stream before anyone could listen,
// which would end the process: so a listener is there from the first moment. `pipeline` still sees the error.
function copyStream(query: postgres.PendingQuery<postgres.Row[]>): Promise<Readable> {
  const pending = query as typeof query & { resolve: (answer: unknown) => void };
  const { resolve } = pending;
  pending.resolve = (answer) => resolve(answer instanceof Readable ? answer.on('error', () => undefined) : answer);
  return query.readable();
}

// As text a boolean is `true`; in CSV it would be `t`.
function copySql(columns: postgres.ColumnList<string>, query: string): string {
  const list = columns.map(({ name, type }) => {
    const quoted = `"${name.replaceAll('"', '""')}"`;
    return type === BOOLEAN_OID ? `${quoted}::text AS ${quoted}` : quoted;
  });
  return `COPY (SELECT ${list.join(', ')} FROM (\n${query}\n) AS source) TO STDOUT WITH (FORMAT csv, HEADER)`;
}

// Connection, authorization, unknown database, resources, shutdown: nothing the query's author can change.
const SERVER_FAULT = /^(08|28|3D|53|57P|58)/;

function sourceError(connection: string, error: unknown, timeoutMs: number): unknown {
  if (!(error instanceof postgres.PostgresError)) {
    if (error instanceof PlatformError) return error;
    return new PlatformError('UNAVAILABLE', `database '${connection}' could not be read`, { cause: error });
  }
  if (SERVER_FAULT.test(error.code)) {
    return new PlatformError('UNAVAILABLE', `database '${connection}' cannot be used now`, { cause: error });
  }
  const reason = error.code === '57014' ? `took longer than ${timeoutMs / 1000} s` : `failed: ${error.message}`;
  const message = `the query on '${connection}' ${reason}`;
  return new PlatformError('INVALID', message, {
    details: [{ path: 'source.query', rule: 'sql', message }],
    cause: error,
  });
}
