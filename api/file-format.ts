import { z } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import { invalid } from './router.ts';

export const FileFormat = z.enum(['csv', 'parquet', 'ndjson']);
export type FileFormat = z.output<typeof FileFormat>;
const FORMATS: Readonly<Record<string, FileFormat | undefined>> = {
  'text/csv': 'csv',
  'application/vnd.apache.parquet': 'parquet',
  'application/x-ndjson': 'ndjson',
};
const BYTES = 'application/octet-stream';
const file = { schema: z.string().openapi({ format: 'binary' }) };

/** For `?format=` of a route that takes files. */
export const AskedFormat = FileFormat.optional().openapi({ description: `Required with ${BYTES}` });
/** The content of a body that is a table. */
export const FILE_CONTENT = Object.fromEntries([...Object.keys(FORMATS), BYTES].map((type) => [type, file]));

/** The media type says the format; only plain bytes need `?format=`. */
export function formatOf(contentType: string | undefined, asked: FileFormat | undefined): FileFormat {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const known = FORMATS[type];
  if (known === undefined && type !== BYTES) {
    const accepted = [...Object.keys(FORMATS), `${BYTES} with ?format=`].join(', ');
    throw new HTTPException(415, { message: `send the file as ${accepted}` });
  }
  if (known !== undefined && asked !== undefined && asked !== known) {
    throw invalid([{ path: 'format', rule: 'media_type', message: `the Content-Type says ${known}` }]);
  }
  const format = known ?? asked;
  if (format !== undefined) return format;
  throw invalid([{ path: 'format', rule: 'required', message: `csv, parquet or ndjson, for ${BYTES} does not say` }]);
}
