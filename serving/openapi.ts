import { MAX_JSON_DEPTH } from '../lib/http/json-depth.ts';
import { PROBLEM_HEADERS, PROBLEM_SCHEMA } from '../lib/http/problem-schema.ts';
import type { InputColumn } from '../ml/features.ts';
import { MAX_EXPLAINED_BYTES, MAX_EXPLAINED_ROWS } from './explain/explainer.ts';
import type { ServedSlot } from './served-slot.ts';
import { MAX_FLOAT32 } from './row-validator.ts';
import { INFERENCE_SCHEMAS, inferencePaths } from './open-inference/openapi.ts';
import { IN_PATH, json, type Operation, operationsWith, PREDICT, refTo } from './openapi-operations.ts';
import { SCHEMAS } from './openapi-schemas.ts';

/** What a request may ask for. */
export interface RequestLimits {
  readonly maxBodyBytes: number;
  /** Of a batch. */
  readonly maxBatchBytes: number;
  readonly maxRows: number;
}

const ref = (name: keyof typeof SCHEMAS) => refTo(name);
const text = (description: string, type: string) => ({
  description,
  content: { [type]: { schema: { type: 'string' } } },
});

const ENDPOINT = { name: 'endpoint', schema: { type: 'string' }, description: 'Instead of the default model' };
const IN_QUERY = { ...ENDPOINT, in: 'query' };
const EXPLAIN = {
  name: 'explain',
  in: 'query',
  schema: { type: 'boolean', default: false },
  description: `Whether every prediction comes with its explanation; for at most ${MAX_EXPLAINED_ROWS} rows and ${MAX_EXPLAINED_BYTES} bytes`,
};
const ROOT = '/api/v1/predict';

/**
 * OpenAPI 3.1 of the routes and, for each of `served`, of its own features with an example that works. `initial` is the
 * default model; its rows are described in general without it.
 */
export function openApiDocument(
  served: readonly ServedSlot[],
  initial: ServedSlot | undefined,
  { maxBodyBytes, maxBatchBytes, maxRows }: RequestLimits,
) {
  const one = (slot: ServedSlot | undefined) => ({
    summary: 'Score one row',
    requestBody: bodyOf(slot ? rowSchema(slot) : ref('Row'), slot?.model.inputExample),
    answers: { 200: json('Answered by one model version', ref('Prediction')) },
  });
  const many = (slot: ServedSlot | undefined) => ({
    summary: 'Score rows in order, all by one model version',
    requestBody: bodyOf(
      rowsSchema(slot ? rowSchema(slot) : ref('Row'), maxRows),
      slot && { rows: [slot.model.inputExample] },
    ),
    answers: { 200: json('One prediction per row', ref('Predictions')) },
  });
  const initialOne = { ...one(initial), parameters: [IN_QUERY, EXPLAIN] };
  const ofEndpoint = (slot: ServedSlot & { endpoint: string }) => ({
    [`${ROOT}/${slot.endpoint}`]: post({
      operationId: `predict_${slot.endpoint}`,
      ...one(slot),
      parameters: [EXPLAIN],
    }),
    [`${ROOT}/${slot.endpoint}/batch`]: post({
      operationId: `predictBatch_${slot.endpoint}`,
      ...many(slot),
      parameters: [EXPLAIN],
    }),
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Anneal serving',
      version: '1',
      description: `Predictions, and what they come from. Bodies are JSON of at most ${maxBodyBytes} bytes (of a batch ${maxBatchBytes}), nested at most ${MAX_JSON_DEPTH} deep. The features of each model are described to callers with a token or key.`,
    },
    paths: {
      '/predict': post({ operationId: 'predictAtRoot', ...initialOne }),
      [ROOT]: post({ operationId: 'predict', ...initialOne }),
      [`${ROOT}/batch`]: post({ operationId: 'predictBatch', ...many(initial), parameters: [IN_QUERY, EXPLAIN] }),
      [`${ROOT}/{endpoint}`]: post({
        operationId: 'predictByEndpoint',
        ...one(undefined),
        parameters: [IN_PATH, EXPLAIN],
      }),
      [`${ROOT}/{endpoint}/batch`]: post({
        operationId: 'predictBatchByEndpoint',
        ...many(undefined),
        parameters: [IN_PATH, EXPLAIN],
      }),
      ...Object.assign({}, ...served.filter(hasEndpoint).map(ofEndpoint)),
      ...READS,
      ...inferencePaths(served.filter(hasEndpoint), maxRows),
    } as Record<string, object>,
    components: {
      schemas: { ...SCHEMAS, ...INFERENCE_SCHEMAS, Problem: PROBLEM_SCHEMA },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

const hasEndpoint = (slot: ServedSlot): slot is ServedSlot & { endpoint: string } => slot.endpoint !== null;

const { get, post } = operationsWith('Problem');

const ofModel = (operationId: string, summary: string, answer: object): Operation => ({
  operationId,
  summary,
  parameters: [IN_QUERY],
  answers: { 200: json(summary, answer) },
  problems: [404, 503],
});
const health = (operationId: string, summary: string): Operation => ({
  operationId,
  summary,
  answers: {
    200: json('Requests should come here', ref('Health')),
    503: { ...json('They should not', ref('Health')), headers: PROBLEM_HEADERS[503] },
  },
});
const READS = {
  [`${ROOT}/models`]: get(PREDICT, {
    operationId: 'listServedModels',
    summary: 'Every loaded model, its inputs and an example',
    answers: { 200: json('In the order of their names', ref('ServedModels')) },
  }),
  [`${ROOT}/health`]: get('public', health('getPredictionHealth', 'Whether requests should come here')),
  '/health': get('public', health('getHealth', 'Whether requests should come here')),
  '/meta': get(PREDICT, ofModel('getMeta', 'Version, threshold and code commit of a model', ref('Meta'))),
  '/lineage': get(
    PREDICT,
    ofModel('getLineage', 'Data, code, run, metrics and hyper-parameters of a model', ref('Lineage')),
  ),
  '/livez': get('public', {
    operationId: 'getLiveness',
    summary: 'Whether the process is alive',
    answers: { 200: json('It is', ref('Health')) },
  }),
  '/readyz': get('public', health('getReadiness', 'Whether the process wants requests')),
  '/metrics': get('public', {
    operationId: 'getMetrics',
    summary: 'Prometheus metrics',
    answers: { 200: text('In the text format', 'text/plain') },
  }),
};

const bodyOf = (schema: object, example: object | undefined) => ({
  required: true,
  content: { 'application/json': { schema, ...(example && { example }) } },
});

const rowsSchema = (row: object, maxItems: number) => ({
  type: 'object',
  additionalProperties: false,
  required: ['rows'],
  properties: { rows: { type: 'array', minItems: 1, maxItems, items: row } },
});

function rowSchema({ model }: ServedSlot) {
  const { inputs, entity } = model.signature;
  return {
    type: 'object',
    additionalProperties: false,
    required: inputs.filter((input) => !input.nullable).map((input) => input.name),
    properties: {
      ...Object.fromEntries(inputs.map((input) => [input.name, columnSchema(input)])),
      ...(entity === undefined ? {} : { [entity]: ENTITY }),
    },
  };
}

const ENTITY = {
  description: 'Whom or what the row is about: kept with the prediction, not an input of the model',
  type: ['string', 'integer', 'null'],
  ...{ minLength: 1, maxLength: 200, pattern: '^[^\\u0000]*$' },
  ...{ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
};

const COLUMNS = {
  numeric: { type: 'number', minimum: -MAX_FLOAT32, maximum: MAX_FLOAT32 },
  boolean: { type: 'boolean' },
  categorical_string: { type: 'string', pattern: '^[^\\u0000]*$' },
  categorical_integer: { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
} as const satisfies Record<InputColumn['type'], object>;

function columnSchema({ type, nullable }: InputColumn) {
  const column = COLUMNS[type];
  return nullable ? { ...column, type: [column.type, 'null'] } : column;
}
