import { COLUMNS, isText, type FeatureRow } from './data.ts';

export interface WireRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}
/** How one server takes rows and gives back their probabilities. */
export interface Wire {
  readonly path: string;
  readonly request: (rows: readonly FeatureRow[]) => WireRequest;
  readonly probabilities: (answer: Buffer, headers: Headers) => number[];
}
type Json = (value: never) => number[];

const json = (path: string, bodyOf: (rows: readonly FeatureRow[]) => unknown, read: Json): Wire => ({
  path,
  request: (rows) => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(bodyOf(rows)) }),
  probabilities: (answer) => read(JSON.parse(answer.toString()) as never),
});

interface Probability {
  readonly probability: number;
}
interface Outputs {
  readonly outputs: readonly { readonly name: string; readonly data: number[]; readonly parameters?: object }[];
}

/** Anneal's own routes, and FastAPI's that are like them. One row is the body itself. */
export const annealRow = (endpoint: string): Wire =>
  json(
    `/api/v1/predict/${endpoint}`,
    ([row]) => row,
    ({ probability }: Probability) => [probability],
  );

export const annealBatch = (endpoint: string): Wire =>
  json(
    `/api/v1/predict/${endpoint}/batch`,
    (rows) => ({ rows }),
    ({ predictions }: { predictions: Probability[] }) => predictions.map(({ probability }) => probability),
  );

export const fastApiRow: Wire = json(
  '/predict',
  ([row]) => row,
  ({ probability }: Probability) => [probability],
);
export const fastApiBatch: Wire = json(
  '/predict/batch',
  (rows) => ({ rows }),
  ({ probabilities }: { probabilities: number[] }) => probabilities,
);

/** BentoML's batchable endpoints take and give lists. */
export const bentoMl: Wire = json(
  '/predict',
  (rows) => ({ rows }),
  (probabilities: number[]) => probabilities,
);

/** MLflow's tensors by name: on the ONNX flavour about twice as fast as `dataframe_split`. */
export const mlflow: Wire = json(
  '/invocations',
  (rows) => ({ inputs: Object.fromEntries(COLUMNS.map((name) => [name, rows.map((row) => [row[name]])])) }),
  ({ predictions }: { predictions: { probability: number[] } }) => predictions.probability,
);

/** Open Inference Protocol V2, all JSON: one tensor per feature. */
export const v2Json = (model: string): Wire =>
  json(
    `/v2/models/${model}/infer`,
    (rows) => ({ inputs: COLUMNS.map((name) => ({ ...tensor(name, rows), data: rows.map((row) => row[name]) })) }),
    ({ outputs }: Outputs) => outputs.find(({ name }) => name === 'probability')!.data,
  );

/** The same with its binary tensor extension, both ways: the tensors' bytes stand behind the JSON. */
export const v2Binary = (model: string): Wire => ({
  path: `/v2/models/${model}/infer`,
  request: (rows) => {
    const values = COLUMNS.map((name) => bytesOf(name, rows));
    const inputs = COLUMNS.map((name, index) => ({
      ...tensor(name, rows),
      parameters: { binary_data_size: values[index]!.length },
    }));
    const outputs = [{ name: 'probability', parameters: { binary_data: true } }];
    const head = Buffer.from(JSON.stringify({ inputs, outputs }));
    const headers = {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(head.length),
    };
    return { headers, body: Buffer.concat([head, ...values]) };
  },
  probabilities: (answer, headers) => {
    const length = Number(headers.get('inference-header-content-length'));
    const { outputs } = JSON.parse(answer.subarray(0, length).toString()) as Outputs;
    if (outputs.length !== 1) throw new Error(`one output was asked for, ${outputs.length} came`);
    const bytes = Uint8Array.from(answer.subarray(length)); // aligned
    return [...new Float32Array(bytes.buffer)];
  },
});

const tensor = (name: string, rows: readonly FeatureRow[]) => ({
  name,
  shape: [rows.length, 1],
  datatype: isText(name) ? 'BYTES' : 'FP32',
});

function bytesOf(name: string, rows: readonly FeatureRow[]): Buffer {
  if (!isText(name)) return Buffer.from(Float32Array.from(rows, (row) => row[name] as number).buffer);
  const parts = rows.flatMap((row) => {
    const text = Buffer.from(row[name] as string);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return [length, text];
  });
  return Buffer.concat(parts);
}
