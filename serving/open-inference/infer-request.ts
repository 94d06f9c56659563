import { HTTPException } from 'hono/http-exception';
import { requireParsable } from '../../lib/http/body.ts';
import { parseLeniently } from '../lenient-json.ts';
import { type RequestedOutput, readOutputs } from './requested-outputs.ts';
import { readInputs, type TensorInput } from './tensor-inputs.ts';
import { flagOf, objectOf, parametersOf, textOf } from './members.ts';
import { refuse } from './refusal.ts';

/** A request to infer, whose tensors agree about the number of rows but are not checked against a model. */
export interface InferRequest {
  /** To be sent back. */
  readonly id: string | undefined;
  readonly rows: number;
  readonly inputs: readonly TensorInput[];
  readonly outputs: readonly RequestedOutput[];
}

/**
 * Reads the body of a request, with the binary tensors behind its JSON. `headerLength` is the header
 * Inference-Header-Content-Length: the bytes of JSON; without it all is JSON. Throws INVALID with one detail, or a 400
 * where the JSON is none.
 */
export function readInferRequest(body: Buffer, headerLength: string | undefined, maxRows: number): InferRequest {
  const length = headerLength === undefined ? body.length : jsonLength(headerLength, body.length);
  const request = objectOf(parse(body.subarray(0, length)), 'body');
  const parameters = parametersOf(request, 'parameters');
  if (Object.hasOwn(parameters, 'sequence_id'))
    throw refuse('parameters.sequence_id', 'unsupported', 'is not supported: rows are scored on their own');
  const id = request['id'] === undefined ? undefined : textOf(request['id'], 'id');
  const { rows, inputs } = readInputs(request['inputs'], body.subarray(length), maxRows);
  const binary = flagOf(parameters['binary_data_output'], 'parameters.binary_data_output') ?? false;
  const outputs = readOutputs(request['outputs'], binary);
  return { id, rows, inputs, outputs };
}

function jsonLength(header: string, bodyLength: number): number {
  const length = /^\d{1,15}$/.test(header) ? Number(header) : NaN;
  const name = 'Inference-Header-Content-Length';
  if (!(length >= 1))
    throw refuse(name, 'integer', 'must be the length of the JSON, at least 1; raw tensors need it too');
  if (length > bodyLength) throw refuse(name, 'length', `must be at most the ${bodyLength} bytes of the body`);
  return length;
}

const utf8 = new TextDecoder();

function parse(json: Buffer): unknown {
  requireParsable(json);
  try {
    return parseLeniently(utf8.decode(json), 'null');
  } catch (cause) {
    throw new HTTPException(400, { message: 'the body is not JSON', cause });
  }
}
