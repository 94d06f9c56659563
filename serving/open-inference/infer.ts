import { PlatformError } from '../../lib/errors.ts';
import type { ModelSignature } from '../../ml/signature.ts';
import type { Predictor } from '../predict.ts';
import type { PredictionCall } from '../prediction-front.ts';
import { chargeRows } from '../rates.ts';
import type { ServedSlot } from '../served-slot.ts';
import { compileRowFiller, type RowFiller } from './fill-rows.ts';
import { type EncodedAnswer, encodeAnswer } from './infer-answer.ts';
import { readInferRequest } from './infer-request.ts';
import { compileRowTexts, type RowTexts } from './row-texts.ts';

export interface InferDeps {
  readonly predictor: Pick<Predictor, 'onSlot' | 'scoreRows'>;
  readonly maxRows: number;
}
export interface InferBody {
  readonly bytes: Buffer;
  /** The header Inference-Header-Content-Length. */
  readonly headerLength: string | undefined;
}
export interface InferTarget {
  /** The name it is asked by. */
  readonly endpoint: string;
  /** That must answer; undefined when any may. */
  readonly version: string | undefined;
}
export type Infer = ReturnType<typeof createInfer>;

/**
 * Scores requests of the Open Inference Protocol V2. Throws as `createPredictor` does, and NOT_FOUND where another version
 * is served.
 */
export function createInfer({ predictor, maxRows }: InferDeps) {
  const compiled = new WeakMap<ModelSignature, { readonly fillRows: RowFiller; readonly rowTexts: RowTexts }>();
  const compiledFor = (signature: ModelSignature) => {
    const known = compiled.get(signature);
    const made = known ?? { fillRows: compileRowFiller(signature), rowTexts: compileRowTexts(signature) };
    compiled.set(signature, made);
    return made;
  };

  return ({ bytes, headerLength }: InferBody, { endpoint, version }: InferTarget, call: PredictionCall) =>
    predictor.onSlot(endpoint, async (slot): Promise<EncodedAnswer> => {
      requireVersion(slot, endpoint, version);
      const { model, texts } = slot;
      const request = readInferRequest(bytes, headerLength, maxRows);
      const { rows, id, outputs } = request;
      await chargeRows(call.charge, rows);
      const { fillRows, rowTexts } = compiledFor(model.signature);
      const { buffers, sent } = fillRows(request);
      const { ids, probabilities } = await predictor.scoreRows(slot, buffers, rows, await rowTexts(sent, rows), call);
      const parameters = { model: model.modelName, threshold: model.signature.threshold };
      const values = {
        probability: probabilities,
        label: Array.from(probabilities, texts.label),
        decision: Array.from(probabilities, texts.decision),
        prediction_id: ids,
      };
      return encodeAnswer({ modelName: endpoint, modelVersion: model.version, id, parameters, values }, outputs);
    });
}

/** Throws NOT_FOUND unless the slot serves that version. */
export function requireVersion(
  { model }: Pick<ServedSlot, 'model'>,
  endpoint: string,
  version: string | undefined,
): void {
  if (version === undefined || version === String(model.version)) return;
  throw new PlatformError('NOT_FOUND', `endpoint '${endpoint}' serves version ${model.version}, not ${version}`);
}
