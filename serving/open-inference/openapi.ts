import { PROBLEM_HEADERS, PROBLEM_SCHEMA } from '../../lib/http/problem-schema.ts';
import { IN_PATH, json, operationsWith, PREDICT, refTo, type Operation } from '../openapi-operations.ts';
import type { ServedSlot } from '../served-slot.ts';
import { DATATYPES } from './datatypes.ts';
import { modelMetadata } from './metadata.ts';
import { OUTPUTS } from './requested-outputs.ts';

const STRING = { type: 'string' };
const BOOLEAN = { type: 'boolean' };
const list = (items: object) => ({ type: 'array', items });
const object = (properties: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>> = {}) => ({
  type: 'object',
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
});
const parameters = (known: Readonly<Record<string, object>> = {}) => ({ parameters: object({}, known) });

const SIZE = { type: 'integer', minimum: 0, description: 'Bytes of the tensor behind the JSON, instead of `data`' };
const OUTPUT_NAME = { enum: Object.keys(OUTPUTS) };
const ELEMENT = { type: ['number', 'string', 'boolean', 'null'] };
const DATA = list({ anyOf: [ELEMENT, { ...list(ELEMENT), minItems: 1, maxItems: 1 }] });
const TENSOR_METADATA = object({ name: STRING, datatype: STRING, shape: list({ type: 'integer' }) });

/** What the protocol sends, as JSON Schema. */
export const INFERENCE_SCHEMAS = {
  InferenceProblem: {
    ...PROBLEM_SCHEMA,
    required: [...PROBLEM_SCHEMA.required, 'error'],
    properties: {
      ...PROBLEM_SCHEMA.properties,
      error: { ...STRING, description: '`detail`, as the protocol names it' },
    },
  },
  InferenceServer: object({ name: STRING, version: STRING, extensions: list(STRING) }),
  InferenceLive: object({ live: BOOLEAN }),
  InferenceReady: object({ ready: BOOLEAN }, { reason: STRING }),
  InferenceModel: object({
    ...{ name: STRING, versions: list(STRING), platform: STRING },
    ...{ inputs: list(TENSOR_METADATA), outputs: list(TENSOR_METADATA) },
  }),
  InferenceModelReady: object({ name: STRING, ready: BOOLEAN }),
  InferenceRequest: object(
    {
      inputs: {
        ...list(
          object(
            {
              name: { ...STRING, description: 'Of the feature' },
              shape: {
                ...list({ type: 'integer', minimum: 1 }),
                ...{ minItems: 1, maxItems: 2, description: '[rows] or [rows, 1]' },
              },
              datatype: { enum: [...DATATYPES.keys()] },
            },
            { data: DATA, ...parameters({ binary_data_size: SIZE }) },
          ),
        ),
        minItems: 1,
      },
    },
    {
      id: { ...STRING, description: 'Sent back' },
      outputs: list(object({ name: OUTPUT_NAME }, parameters({ binary_data: BOOLEAN }))),
      ...parameters({ binary_data_output: BOOLEAN }),
    },
  ),
  InferenceResponse: object(
    {
      ...{ model_name: STRING, model_version: STRING },
      ...parameters({ model: STRING, threshold: { type: 'number' } }),
      outputs: list(
        object(
          { name: OUTPUT_NAME, datatype: STRING, shape: list({ type: 'integer' }) },
          { data: list({ type: ['number', 'string'] }), ...parameters({ binary_data_size: SIZE }) },
        ),
      ),
    },
    { id: STRING },
  ),
};

const HEADER_LENGTH = 'Inference-Header-Content-Length';
const JSON_LENGTH = 'Bytes of JSON at the start of the body, when binary tensors follow';
const ROOT = '/v2/models';
const { get, post } = operationsWith('InferenceProblem');
const ref = (name: keyof typeof INFERENCE_SCHEMAS) => refTo(name);
const BINARY = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };

type EndpointSlot = ServedSlot & { readonly endpoint: string };

/** Paths of the Open Inference Protocol V2, for any endpoint and for each that is served, with an example that works. */
export function inferencePaths(served: readonly EndpointSlot[], maxRows: number): Record<string, object> {
  const [first] = served;
  const endpoint = { ...IN_PATH, ...(first && { example: first.endpoint }) };
  const version = {
    ...{ name: 'version', in: 'path', required: true, schema: { type: 'string', minLength: 1 } },
    ...(first && { example: String(first.model.version) }),
  };
  const infer = (operationId: string, inPath: readonly object[], slot?: EndpointSlot) =>
    post({
      operationId,
      summary: `Score up to ${maxRows} rows`,
      parameters: [...inPath, LENGTH_PARAMETER],
      requestBody: { required: true, content: { 'application/json': jsonBody(slot), ...BINARY } },
      answers: { 200: INFERRED },
    });
  const both = (path: string, operationId: string, summary: string, schema: object) => {
    const asked = (id: string, inPath: readonly object[]): Operation => ({
      ...{ operationId: id, summary, parameters: inPath },
      ...{ answers: { 200: json(summary, schema) }, problems: [404, 503] },
    });
    return {
      [`${ROOT}/{endpoint}${path}`]: get(PREDICT, asked(operationId, [endpoint])),
      [`${ROOT}/{endpoint}/versions/{version}${path}`]: get(
        PREDICT,
        asked(`${operationId}Version`, [endpoint, version]),
      ),
    };
  };
  return {
    ...SERVER_PATHS,
    ...both('', 'getInferenceModel', 'Inputs and outputs of a model', ref('InferenceModel')),
    ...both('/ready', 'getInferenceModelReady', 'Whether a model can be asked', ref('InferenceModelReady')),
    [`${ROOT}/{endpoint}/infer`]: infer('inferByEndpoint', [endpoint]),
    [`${ROOT}/{endpoint}/versions/{version}/infer`]: infer('inferByVersion', [endpoint, version]),
    ...Object.fromEntries(
      served.map((slot) => [`${ROOT}/${slot.endpoint}/infer`, infer(`infer_${slot.endpoint}`, [], slot)]),
    ),
  };
}

const LENGTH_PARAMETER = {
  ...{ name: HEADER_LENGTH, in: 'header', description: JSON_LENGTH },
  schema: { type: 'integer', minimum: 1 },
};
const INFERRED = {
  description: 'The outputs that were asked for; octets when any of them is binary',
  headers: { [HEADER_LENGTH]: { description: JSON_LENGTH, schema: { type: 'integer' } } },
  content: { 'application/json': { schema: ref('InferenceResponse') }, ...BINARY },
};

const SERVER_PATHS = {
  '/v2': get('public', {
    operationId: 'getInferenceServer',
    summary: 'Name and extensions of the server',
    answers: { 200: json('Open Inference Protocol V2', ref('InferenceServer')) },
  }),
  '/v2/health/live': get('public', {
    operationId: 'getInferenceLive',
    summary: 'Whether the process is alive',
    answers: { 200: json('It is', ref('InferenceLive')) },
  }),
  '/v2/health/ready': get('public', {
    operationId: 'getInferenceReady',
    summary: 'Whether the process wants requests',
    answers: {
      200: json('It does', ref('InferenceReady')),
      503: { ...json('It does not', ref('InferenceReady')), headers: PROBLEM_HEADERS[503] },
    },
  }),
};

function jsonBody(slot: EndpointSlot | undefined) {
  const schema = ref('InferenceRequest');
  if (!slot) return { schema };
  const { inputExample } = slot.model;
  const inputs = modelMetadata(slot.endpoint, slot).inputs.map(({ name, datatype }) => ({
    ...{ name, datatype, shape: [1], data: [inputExample[name] ?? null] },
  }));
  return { schema, example: { inputs } };
}
