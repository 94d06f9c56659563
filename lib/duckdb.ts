import {
  DuckDBInstance,
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBResult,
  type DuckDBVector,
} from '@duckdb/node-api';

export interface DuckDbOptions {
  /** For example `512MB`. What does not fit goes to `tempDir`. */
  readonly memoryLimit: string;
  readonly tempDir: string;
  readonly threads?: number;
}

/** The columns of some rows, in the order of the SELECT list. The arrays are valid until the next chunk. */
export interface ColumnChunk {
  readonly rows: number;
  readonly columns: readonly NumericArray[];
}
export type NumericArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** An in-memory database that reads and writes files. All methods throw DuckDB's own Error. */
export interface DuckDb {
  run(sql: string): Promise<void>;
  /** A small result as plain JSON rows: BIGINT and HUGEINT come as text. */
  rows<T extends Record<string, unknown>>(sql: string): Promise<T[]>;
  /** A large result, streamed. Every column is FLOAT, DOUBLE, INTEGER or UTINYINT, and null nowhere: coalesce it. */
  chunks(this: void, sql: string): AsyncIterable<ColumnChunk>;
  /** As `chunks`, computed whole, by DuckDB's threads, before it resolves. */
  computedChunks(this: void, sql: string): Promise<AsyncIterable<ColumnChunk>>;
}

/** Opens a database for the time of `work`. Extensions that would have to be downloaded are off. */
export async function withDuckDb<T>(options: DuckDbOptions, work: (db: DuckDb) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit,
    threads: String(options.threads ?? 2),
    temp_directory: options.tempDir,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  try {
    const connection = await instance.connect();
    try {
      return await work(adapter(connection));
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

export const quoteName = (name: string) => `"${name.replaceAll('"', '""')}"`;
export const quoteText = (text: string) => `'${text.replaceAll("'", "''")}'`;

const adapter = (connection: DuckDBConnection): DuckDb => ({
  run: async (sql) => {
    await connection.run(sql);
  },
  rows: async <T extends Record<string, unknown>>(sql: string) => {
    const reader = await connection.runAndReadAll(sql);
    return reader.getRowObjectsJson() as Record<string, unknown>[] as T[];
  },
  chunks: async function* (sql) {
    yield* chunksOf(await connection.stream(sql));
  },
  computedChunks: async (sql) => chunksOf(await connection.run(sql)),
});

async function* chunksOf(result: DuckDBResult): AsyncGenerator<ColumnChunk> {
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield columnsOf(chunk);
  }
}

function columnsOf(chunk: DuckDBDataChunk): ColumnChunk {
  const columns = Array.from({ length: chunk.columnCount }, (_, i) => itemsOf(chunk.getColumnVector(i)));
  return { rows: chunk.rowCount, columns };
}

// The public reader makes one JavaScript value per cell; the typed array below it is fifty times faster.
function itemsOf(vector: DuckDBVector): NumericArray {
  const { items, validity } = vector as unknown as { items: NumericArray; validity: { data: BigUint64Array | null } };
  if (!ArrayBuffer.isView(items)) throw new TypeError(`cannot stream a column of type ${String(vector.type)}`);
  if (validity.data && hasNull(validity.data, items.length)) {
    throw new TypeError('cannot stream a column that holds nulls');
  }
  return items;
}

const ALL_VALID = 0xffff_ffff_ffff_ffffn;

/** @param bits one per row, set where the row has a value; what follows the last row is undefined */
function hasNull(bits: BigUint64Array, rows: number): boolean {
  return bits.some((word, index) => {
    const used = Math.min(64, rows - 64 * index);
    return BigInt.asUintN(used, word) !== BigInt.asUintN(used, ALL_VALID);
  });
}
