import type { RawRow } from '../../ml/signature.ts';
import { parseJson, rowArrays, rowsOf } from '../json-body.ts';
import type { Predictor, PredictorDeps } from '../predict.ts';
import { predictionId } from '../prediction-id.ts';
import { latencyOf, ROWS_PER_LINE } from '../prediction-log/lines.ts';
import { chargeRows, rowCountOf } from '../rates.ts';
import { type Explainer, requireExplainer } from './explainer.ts';

export interface ExplainedPredictorDeps extends Pick<PredictorDeps, 'maxRows' | 'log' | 'onScored'> {
  readonly predictor: Pick<Predictor, 'onSlot' | 'scoreRows'>;
  readonly explain: Explainer['explain'];
}

/**
 * Answers as `createPredictor` does, each prediction with its explanation. Throws INVALID also where there can be none.
 * Rows are explained when they are known to be right, and logged when they are explained: an answer is both or neither.
 */
export function createExplainedPredictor(deps: ExplainedPredictorDeps): Pick<Predictor, 'one' | 'batch'> {
  const { predictor, maxRows, log, onScored } = deps;
  const explain = async (explainer: string, rows: readonly unknown[]) =>
    textsOf(await deps.explain({ explainer, rows: rows as readonly RawRow[] }));

  return {
    one: (body, call) =>
      predictor.onSlot(call.endpoint, async (slot) => {
        const explainer = requireExplainer(slot.model, 1);
        const { value } = parseJson(body);
        const probability = await slot.scoreRow(value);
        const [explanation] = await explain(explainer, [value]);
        const id = predictionId();
        const { texts } = slot;
        await log.commit(texts.logLine(id, JSON.stringify(value), probability, latencyOf(call), texts.logSuffix(call)));
        onScored(slot, 1);
        return texts.one(id, probability, explanation);
      }),

    batch: (body, call) =>
      predictor.onSlot(call.endpoint, async (slot) => {
        const { text, value } = parseJson(body);
        await chargeRows(call.charge, rowCountOf(value));
        const rows = rowsOf(value, maxRows);
        const explainer = requireExplainer(slot.model, rows.length);
        const packed = slot.pack(rows);
        const explanations = await explain(explainer, rows);
        const features = rowArrays(text, rows, ROWS_PER_LINE);
        const { ids, probabilities } = await predictor.scoreRows(slot, packed, rows.length, features, call);
        return slot.texts.many(ids, probabilities, explanations);
      }),
  };
}

const textsOf = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value));
