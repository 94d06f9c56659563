import type { FileDoor } from '../data/file-door.ts';
import type { ReadLabelFile } from '../data/label-files.ts';
import type { LabelRow } from '../data/label-rows.ts';
import type { LabelCounts, LabelReport } from '../db/labels.ts';
import { PlatformError } from '../lib/errors.ts';
import type { FileFormat } from './file-format.ts';
import { MAX_LABELS, readRows } from './resources/label.ts';
import { receiveUpload } from './uploads.ts';

export interface LabelUploadDeps {
  readonly fileDoor: FileDoor;
  readonly readLabelFile: ReadLabelFile;
  readonly workDirectory: string;
  readonly maxUploadBytes: number;
}
export interface LabelUpload {
  readonly request: Request;
  readonly format: FileFormat;
  /** For rows that name none themselves. */
  readonly endpoint: string | undefined;
  readonly now: Date;
}
type Receive = (reports: readonly LabelReport[]) => Promise<LabelCounts>;

/** Takes a file of labels, 10,000 rows at a time, each time all or none; the rows before a wrong one stay. */
export function receiveLabelFile(deps: LabelUploadDeps, upload: LabelUpload, receive: Receive): Promise<LabelCounts> {
  const { request, format } = upload;
  const checkBytes = deps.fileDoor.byteCheck(format, 'body');
  const { workDirectory, maxUploadBytes: maxBytes } = deps;
  return receiveUpload({ request, maxBytes, workDirectory, checkBytes }, async ({ path }) => {
    const { signal } = request;
    await deps.fileDoor.inspect({ path, format, field: 'body', signal });
    return await receiveRows(deps.readLabelFile({ path, format, signal }, MAX_LABELS), upload, receive);
  });
}

async function receiveRows(
  batches: AsyncIterable<readonly LabelRow[]>,
  { endpoint, now }: LabelUpload,
  receive: Receive,
): Promise<LabelCounts> {
  const total = { matched: 0, pending: 0, corrected: 0, unchanged: 0 };
  let taken = 0;
  for await (const rows of batches) {
    const sent = rows.map((row, index) => ({ path: [`row ${taken + index + 1}`], value: toJson(row, endpoint) }));
    try {
      const counts = await receive(readRows(sent, now));
      for (const name of Object.keys(total) as (keyof LabelCounts)[]) total[name] += counts[name];
    } catch (error) {
      throw taken > 0 && error instanceof PlatformError ? afterSome(error, taken) : error;
    }
    taken += rows.length;
  }
  return total;
}

function afterSome({ code, message, details, retryAfterSeconds }: PlatformError, taken: number): PlatformError {
  const options = { details, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
  return new PlatformError(code, `${message}; the first ${taken} rows of the file were taken`, options);
}

/** As the same label would be sent as JSON. */
function toJson({ prediction_id, entity, at, label, observed_at, ...row }: LabelRow, endpoint: string | undefined) {
  const labelled = { label: label ?? undefined, observed_at: isoTime(observed_at) };
  if (prediction_id !== null) return { prediction_id: prediction_id.toLowerCase(), ...labelled };
  return { endpoint: row.endpoint ?? endpoint, entity: entity ?? undefined, at: isoTime(at), ...labelled };
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?)?$/;

/** Times of files, as spreadsheets, pandas and Postgres write them; without an offset they are UTC. */
function isoTime(text: string | null): string | undefined {
  if (text === null) return undefined;
  const match = TIME.exec(text.trim());
  if (!match) return text; // whose field is named as wrong
  const [, date, time = '00:00:00', , hours, minutes = '00'] = match;
  return `${date}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`;
}
