import type { ServedModel } from '../db/endpoints.ts';
import type { RawRow } from '../ml/signature.ts';
import type { RowValidator } from './row-validator.ts';

/** What a model answers for one row. */
export interface Score {
  readonly label: string;
  readonly probability: number;
  readonly decision: string;
}
/** A model file opened by the runtime. */
export interface ModelSession {
  readonly inputNames: readonly string[];
  /** Probability of the positive class, in the order of the rows. */
  probabilities(this: void, rows: readonly RawRow[]): Promise<Float32Array>;
  /** All outputs; slower, because of the strings. */
  scores(this: void, rows: readonly RawRow[]): Promise<Score[]>;
  release(this: void): Promise<void>;
}
/** Opens a file; throws when the runtime cannot load it or it lacks an output. */
export type OpenSession = (onnx: Uint8Array) => Promise<ModelSession>;

/** A model version that was loaded and checked, with the rules for its rows. */
export interface LoadedModel {
  readonly model: ServedModel;
  readonly validate: RowValidator;
  score(this: void, rows: readonly RawRow[]): Promise<Score[]>;
  release(this: void): Promise<void>;
}
/** A loaded model in a slot. `endpoint` and `revision` are null for a pinned version. */
export interface ServedSlot extends LoadedModel {
  readonly endpoint: string | null;
  readonly revision: number | null;
}
