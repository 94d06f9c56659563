import type { ServedModel } from '../../db/endpoints.ts';
import type { SpoolSettings } from '../prediction-log/spool-writer.ts';
import type { EncodedAnswer } from '../open-inference/infer-answer.ts';
import type { LoggedRequest } from './answer-texts.ts';

/** What the batch thread is constructed with. */
export interface BatchThreadSettings {
  /** Of the process's model cache. */
  readonly folder: string;
  readonly maxRows: number;
  readonly logLevel: string;
  /** Null when predictions are not logged. */
  readonly spool: SpoolSettings | null;
}
/** The served model that answers a batch, as plain data. */
export interface BatchSource {
  readonly endpoint: string | null;
  readonly revision: number | null;
  readonly model: ServedModel;
}
/** What a body of the Open Inference Protocol comes with. */
export interface TensorsAsked {
  /** The name that is asked for. */
  readonly modelName: string;
  /** The header Inference-Header-Content-Length. */
  readonly headerLength: string | undefined;
}
/** A body as it came: `{"rows": [...]}`, or tensors. */
export interface BatchBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly tensors: TensorsAsked | null;
}
export interface BatchAnswer extends EncodedAnswer {
  readonly body: Uint8Array;
}
export type BatchOrder =
  /** Reads a body and answers its number of rows; `score` or `drop` of the same job follows. */
  | { readonly does: 'parse'; readonly job: number; readonly body: BatchBody }
  /** Answers a BatchAnswer, once the log has its predictions. */
  | {
      readonly does: 'score';
      readonly job: number;
      readonly source: BatchSource;
      readonly request: LoggedRequest & { readonly arrivedEpochMs: number };
    }
  | { readonly does: 'drop'; readonly job: number };
/** What `parse` finds. */
export type ParsedBatch = { readonly rows: number } | { readonly badRequest: string };
