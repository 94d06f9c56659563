import { PlatformError } from '../../lib/errors.ts';
import type { Predictor } from '../predict.ts';
import type { PredictionCall } from '../prediction-front.ts';
import { chargeRows } from '../rates.ts';
import type { ServedSlot } from '../served-slot.ts';
import type { EncodedAnswer } from './infer-answer.ts';
import { readInferRequest } from './infer-request.ts';
import { createInferRows } from './infer-rows.ts';

export interface InferDeps {
  readonly predictor: Pick<Predictor, 'onSlot' | 'scoreRows' | 'inLane'>;
  readonly maxRows: number;
}
export interface InferBody {
  readonly bytes: Buffer<ArrayBuffer>;
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
  const inferRows = createInferRows();

  return ({ bytes, headerLength }: InferBody, { endpoint, version }: InferTarget, call: PredictionCall) =>
    predictor.onSlot(endpoint, async (slot): Promise<EncodedAnswer> => {
      requireVersion(slot, endpoint, version);
      const body = { bytes, tensors: { modelName: endpoint, headerLength } };
      return await predictor.inLane(slot, body, call, async () => {
        const request = readInferRequest(bytes, headerLength, maxRows);
        await chargeRows(call.charge, request.rows);
        return await inferRows(slot, endpoint, request, (buffers, features) =>
          predictor.scoreRows(slot, buffers, request.rows, features, call),
        );
      });
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
