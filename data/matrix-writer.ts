import { open, type FileHandle } from 'node:fs/promises';
import { matrixHeader } from '../ml/matrix-file.ts';

/** Writes a matrix file column by column, in any order. */
export interface MatrixWriter {
  writeColumn(column: number, values: Float32Array): Promise<void>;
  writeTarget(target: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export async function createMatrixWriter(
  path: string,
  columns: readonly string[],
  rows: number,
): Promise<MatrixWriter> {
  const { header, columnOffset, targetOffset } = matrixHeader(columns, rows);
  const handle = await open(path, 'w');
  await writeAt(handle, header, 0);
  return {
    writeColumn: (column, values) => writeAt(handle, values, columnOffset(column)),
    writeTarget: (target) => writeAt(handle, target, targetOffset),
    close: () => handle.close(),
  };
}

async function writeAt(handle: FileHandle, values: Float32Array | Uint8Array, position: number): Promise<void> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
