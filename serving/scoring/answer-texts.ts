import type { ServedModel } from '../../db/endpoints.ts';

export interface AnswerSource {
  readonly endpoint: string | null;
  readonly revision: number | null;
  readonly model: Pick<ServedModel, 'modelName' | 'version' | 'signature'>;
}
/** What the prediction log says of a request beside its rows; see `PredictionRecord`. */
export interface LoggedRequest {
  /** Of letters, digits and `._-`. */
  readonly requestId: string;
  /** 32 hexadecimal digits. */
  readonly traceId: string | null;
  readonly caller: string;
}
export type AnswerTexts = ReturnType<typeof compileAnswerTexts>;

/** JSON of answers and log lines, of which only a few values change from row to row: the rest is made once per model. */
export function compileAnswerTexts({ endpoint, revision, model }: AnswerSource) {
  const { classes, decision, threshold, entity } = model.signature;
  const cut = Math.fround(threshold);
  const sideOf = (probability: number) => (probability >= cut ? 'positive' : 'negative');
  const perSide = (make: (side: 'positive' | 'negative') => string) => ({
    positive: make('positive'),
    negative: make('negative'),
  });
  const servedBy = `"endpoint":${text(endpoint)},"model":{"name":${text(model.modelName)},"version":${model.version}}`;
  const labels = perSide((side) => `","label":${text(classes[side])},"probability":`);
  const decisions = perSide((side) => `,"decision":${text(decision[side])},"threshold":${threshold}`);
  const logOutcome = perSide((side) => `,"label":${text(classes[side])},"decision":${text(decision[side])}`);
  const { negative, positive } = classes;
  const logOutcomes = `"cut":${cut},"labels":${json([negative, positive])},"decisions":${json([decision.negative, decision.positive])}`;
  const logEntity = entity === undefined ? '' : `,"entity_column":${text(entity)}`;
  const logModel = `,"endpoint":${text(endpoint)},"revision":${revision},"model":${text(model.modelName)},"version":${model.version}${logEntity}`;

  const row = (id: string, probability: number, more: string) => {
    const side = sideOf(probability);
    return `{"prediction_id":"${id}${labels[side]}${probability}${decisions[side]}${more}`;
  };

  return {
    label: (probability: number): string => classes[sideOf(probability)],
    decision: (probability: number): string => decision[sideOf(probability)],

    /** The answer to a request of one row. `explanation` is JSON. */
    one: (id: string, probability: number, explanation?: string): string =>
      `${row(id, probability, explanation ? `,"explanation":${explanation},` : ',')}${servedBy}}`,

    /** The answer to a request of several rows, in their order. */
    many: (ids: readonly string[], probabilities: ArrayLike<number>, explanations?: readonly string[]): string => {
      const rows = ids.map((id, index) =>
        row(id, probabilities[index]!, explanations ? `,"explanation":${explanations[index]}}` : '}'),
      );
      return `{${servedBy},"predictions":[${rows.join(',')}]}`;
    },

    /** What is the same in every log line of a request. */
    logSuffix: ({ requestId, traceId, caller }: LoggedRequest): string => {
      const trace = traceId === null ? 'null' : `"${traceId}"`;
      return `${logModel},"trace_id":${trace},"request_id":"${requestId}","caller":${text(caller)}}\n`;
    },

    /** A line of the prediction log for several rows; `features` is a JSON array without a line break. */
    logLines: (
      ids: readonly string[],
      features: string,
      probabilities: Float32Array,
      latencyUs: number,
      suffix: string,
    ): string =>
      `{"rows":${ids.length},"ids":["${ids.join('","')}"],"features":${features},"probabilities":[${probabilities.join()}],${logOutcomes},"latency_us":${latencyUs}${suffix}`,

    /** A line of the prediction log for one row; `features` is JSON without a line break. */
    logLine: (id: string, features: string, probability: number, latencyUs: number, suffix: string): string =>
      `{"id":"${id}","features":${features},"probability":${probability}${logOutcome[sideOf(probability)]},"latency_us":${latencyUs}${suffix}`,
  };
}

const text = (value: string | null) => JSON.stringify(value);
const json = (value: readonly string[]) => JSON.stringify(value);
