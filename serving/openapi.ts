import type { InputColumn } from '../ml/features.ts';
import type { ServedSlot } from './loaded-model.ts';

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (description: string, schema: object) => ({ description, content: { 'application/json': { schema } } });
const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});
const PROBLEMS = {
  400: problem('The body is not JSON'),
  404: problem('No such endpoint'),
  413: problem('The body is too large'),
  422: problem('Fields that break a rule, each named in `errors`'),
  503: problem('No model is loaded yet; see Retry-After'),
};

const SERVED_BY = {
  endpoint: { type: ['string', 'null'] },
  model: { type: 'object', properties: { name: { type: 'string' }, version: { type: 'integer' } } },
};
const PREDICTION = {
  prediction_id: { type: 'string', format: 'uuid', description: 'UUID version 7' },
  label: { type: 'string' },
  probability: { type: 'number', description: 'Of the positive class' },
  decision: { type: 'string', description: 'Positive when probability >= threshold' },
  threshold: { type: 'number' },
};
const SCHEMAS = {
  Prediction: { type: 'object', properties: { ...SERVED_BY, ...PREDICTION } },
  Predictions: {
    type: 'object',
    properties: { ...SERVED_BY, predictions: { type: 'array', items: { type: 'object', properties: PREDICTION } } },
  },
  Problem: {
    type: 'object',
    properties: {
      title: { type: 'string' },
      status: { type: 'integer' },
      code: { type: 'string' },
      detail: { type: 'string' },
      request_id: { type: 'string' },
      errors: {
        type: 'array',
        items: {
          type: 'object',
          properties: { path: { type: 'string' }, rule: { type: 'string' }, message: { type: 'string' } },
        },
      },
    },
  },
};

/** OpenAPI 3.1 of what is served now: every loaded model's own features, with an example that works. */
export function openApiDocument(served: readonly ServedSlot[], initial: ServedSlot | undefined) {
  const endpoints = served.filter((slot) => slot.endpoint !== null);
  return {
    openapi: '3.1.0',
    info: { title: 'Anneal serving', version: '1', description: 'Predictions, and what they come from.' },
    paths: {
      ...predictionPaths('/predict', null, initial),
      ...predictionPaths('/api/v1/predict', '/api/v1/predict/batch', initial),
      ...Object.fromEntries(endpoints.flatMap((slot) => Object.entries(endpointPaths(slot)))),
      '/api/v1/predict/models': read('Every loaded model, its inputs and an example'),
      '/api/v1/predict/health': read('Whether requests should come here'),
      '/health': read('Status and model URI'),
      '/meta': read('Version, threshold and code commit of the default model, or of ?endpoint='),
      '/lineage': read('Data, code, run, metrics and hyper-parameters of the default model, or of ?endpoint='),
      '/livez': read('The process is alive'),
      '/readyz': read('The process wants requests'),
      '/metrics': read('Prometheus metrics'),
    },
    components: { schemas: SCHEMAS },
  };
}

const endpointPaths = (slot: ServedSlot): Record<string, object> => {
  const path = `/api/v1/predict/${slot.endpoint}`;
  return predictionPaths(path, `${path}/batch`, slot);
};

function predictionPaths(single: string, batch: string | null, slot: ServedSlot | undefined): Record<string, object> {
  const row = slot ? rowSchema(slot) : { type: 'object' };
  const rows = { type: 'object', required: ['rows'], properties: { rows: { type: 'array', minItems: 1, items: row } } };
  const example = slot?.model.inputExample ?? {};
  return {
    [single]: { post: predict('Score one row', row, example, ref('Prediction')) },
    ...(batch && { [batch]: { post: predict('Score rows in order', rows, { rows: [example] }, ref('Predictions')) } }),
  };
}

const predict = (summary: string, schema: object, example: object, answer: object) => ({
  summary,
  requestBody: { required: true, content: { 'application/json': { schema, example } } },
  responses: { 200: json('Answered by one model version', answer), ...PROBLEMS },
});
const read = (summary: string) => ({ get: { summary, responses: { 200: { description: summary } } } });

function rowSchema({ model }: ServedSlot) {
  const { inputs } = model.signature;
  return {
    type: 'object',
    additionalProperties: false,
    required: inputs.filter((input) => !input.nullable).map((input) => input.name),
    properties: Object.fromEntries(inputs.map((input) => [input.name, columnSchema(input)])),
  };
}

const TYPES = {
  numeric: 'number',
  boolean: 'boolean',
  categorical_string: 'string',
  categorical_integer: 'integer',
} as const satisfies Record<InputColumn['type'], string>;
const columnSchema = ({ type, nullable }: InputColumn) => ({ type: nullable ? [TYPES[type], 'null'] : TYPES[type] });
