const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const STRING = { type: 'string' };
const INTEGER = { type: 'integer' };
const NUMBER = { type: 'number' };
const nullable = ({ type, ...rest }: { readonly type: string }) => ({ type: [type, 'null'], ...rest });
const list = (items: object) => ({ type: 'array', items });
const record = (values: object) => ({ type: 'object', additionalProperties: values });

/** Every property is always there, and no other, but those in `optional`. */
const object = (properties: Readonly<Record<string, object>>, optional: Readonly<Record<string, object>> = {}) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
});

const MODEL = { name: STRING, version: INTEGER };
const PREDICTION = {
  prediction_id: { type: 'string', format: 'uuid', description: 'UUID version 7' },
  label: STRING,
  probability: { type: 'number', minimum: 0, maximum: 1, description: 'Of the positive class' },
  decision: { type: 'string', description: 'Positive when probability >= threshold' },
  threshold: NUMBER,
};
const EXPLAINED = { explanation: { ...ref('Explanation'), description: 'With `explain=true`' } };
const SERVED_BY = { endpoint: nullable(STRING), model: object(MODEL) };
const SLOT = { endpoint: nullable(STRING), revision: nullable(INTEGER) };
const META = { ...SLOT, model: object(MODEL), threshold: NUMBER, commit: nullable(STRING) };
const VALUE = { type: ['number', 'string', 'boolean', 'null'] };
const OUTCOMES = object({ negative: STRING, positive: STRING });
const INPUT = object({
  name: STRING,
  type: { enum: ['numeric', 'boolean', 'categorical_string', 'categorical_integer'] },
  nullable: { type: 'boolean' },
});

/** What the routes take and answer, as JSON Schema. */
export const SCHEMAS = {
  Row: { ...record(VALUE), description: 'Features by name; `GET /api/v1/predict/models` says which' },
  Prediction: object({ ...SERVED_BY, ...PREDICTION }, EXPLAINED),
  Predictions: object({ ...SERVED_BY, predictions: list(object(PREDICTION, EXPLAINED)) }),
  Explanation: {
    ...object({
      method: { enum: ['tree_shap', 'linear'] },
      unit: { const: 'log_odds' },
      base_value: NUMBER,
      contributions: { ...record(NUMBER), description: 'By input and derived feature, the largest first' },
    }),
    description: 'Log-odds of the probability = base_value + the sum of the contributions',
  },
  Health: object({ status: { enum: ['ok', 'not_ready'] } }, { reason: STRING, model_uri: STRING }),
  Meta: object(META),
  ServedModels: object({
    models: list(object({ ...META, default: { type: 'boolean' }, inputs: list(INPUT), input_example: record(VALUE) })),
  }),
  Lineage: object({
    ...SLOT,
    model: object({ ...MODEL, uri: STRING }),
    source: { enum: ['run', 'import'], description: 'Brought from outside, nobody knows what it was made of' },
    run_id: nullable(STRING),
    imported_by: nullable(STRING),
    data: nullable(object({ dataset_version: STRING, sha256: STRING })),
    code: nullable(object({ commit: STRING })),
    pipeline: nullable(object({ ...MODEL, definition_sha256: STRING })),
    algorithm: nullable(STRING),
    hyperparameters: record({ type: ['number', 'string'] }),
    metrics: record(NUMBER),
    signature: ref('Signature'),
    artifacts: object({
      onnx_sha256: STRING,
      evaluation_sha256: nullable(STRING),
      reference_profile_sha256: nullable(STRING),
      golden_rows_sha256: STRING,
      explainer_sha256: { ...nullable(STRING), description: 'null when predictions cannot be explained' },
    }),
    created_at: { type: 'string', format: 'date-time' },
  }),
  Signature: object(
    { inputs: list(INPUT), classes: OUTCOMES, decision: OUTCOMES, threshold: NUMBER },
    { entity: STRING },
  ),
} as const;
