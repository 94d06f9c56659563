import type { ModelSignature } from '../../ml/signature.ts';
import type { RowBuffers } from '../scoring/row-buffers.ts';
import type { ServedSlot } from '../served-slot.ts';
import { compileRowFiller, type RowFiller } from './fill-rows.ts';
import { type EncodedAnswer, encodeAnswer } from './infer-answer.ts';
import type { InferRequest } from './infer-request.ts';
import { compileRowTexts, type RowTexts } from './row-texts.ts';

/** Scores packed rows and logs them; `features` as `linesOf` takes them. */
export type ScoreAndLog = (
  buffers: RowBuffers,
  features: readonly string[],
) => Promise<{ readonly ids: readonly string[]; readonly probabilities: Float32Array }>;

/**
 * Answers requests of the Open Inference Protocol with what `score` makes of their rows; `modelName` is the name they ask
 * for. Throws INVALID with one detail per bad value.
 */
export function createInferRows() {
  const compiled = new WeakMap<ModelSignature, { readonly fillRows: RowFiller; readonly rowTexts: RowTexts }>();
  const compiledFor = (signature: ModelSignature) => {
    const known = compiled.get(signature);
    const made = known ?? { fillRows: compileRowFiller(signature), rowTexts: compileRowTexts(signature) };
    compiled.set(signature, made);
    return made;
  };

  return async (
    { model, texts }: Pick<ServedSlot, 'model' | 'texts'>,
    modelName: string,
    request: InferRequest,
    score: ScoreAndLog,
  ): Promise<EncodedAnswer> => {
    const { rows, id, outputs } = request;
    const { fillRows, rowTexts } = compiledFor(model.signature);
    const { buffers, sent } = fillRows(request);
    const { ids, probabilities } = await score(buffers, await rowTexts(sent, rows));
    const parameters = { model: model.modelName, threshold: model.signature.threshold };
    const values = {
      probability: probabilities,
      label: Array.from(probabilities, texts.label),
      decision: Array.from(probabilities, texts.decision),
      prediction_id: ids,
    };
    return encodeAnswer({ modelName, modelVersion: model.version, id, parameters, values }, outputs);
  };
}
