import type { InputColumn } from './features.ts';

/** What a served model takes and answers; stored with the model version and inside the ONNX file's metadata. */
export interface ModelSignature {
  readonly inputs: readonly InputColumn[];
  /** A column that says whom or what a row is about: may come with it, and is kept with the prediction, not a model input. */
  readonly entity?: string | undefined;
  /** Probability of this class of the target (compared as text) is predicted. */
  readonly classes: { readonly negative: string; readonly positive: string };
  readonly decision: { readonly positive: string; readonly negative: string };
  /** Float32: the decision is positive when probability >= threshold. */
  readonly threshold: number;
}

/** A raw row: numbers, booleans, strings or null, by column name. */
export type RawRow = Record<string, number | string | boolean | null>;

/** Rows with their known answers; a serving process checks a model against them before it serves it. */
export interface GoldenRows {
  readonly rows: readonly RawRow[];
  readonly probabilities: readonly number[];
}
