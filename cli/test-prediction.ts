import { PlatformError } from '../lib/errors.ts';
import type { Rest } from './rest.ts';

/** As serving describes what it serves. */
interface Usage {
  /** Null for a model that is served by MODEL_URI alone. */
  readonly endpoint: string | null;
  readonly default: boolean;
  readonly input_example: object;
}

/**
 * One prediction, answered as the server did: by an endpoint, or by the default model; of a row (JSON), or of the
 * example that came with the model. Throws INVALID (no JSON object), NOT_FOUND (nothing of that name is served).
 */
export async function testPrediction(
  serving: Rest,
  { endpoint, row }: { readonly endpoint?: string | undefined; readonly row?: string | undefined },
): Promise<unknown> {
  const body = row === undefined ? await exampleRow(serving, endpoint) : parseRow(row);
  return await serving.post(
    endpoint === undefined ? '/predict' : `/api/v1/predict/${encodeURIComponent(endpoint)}`,
    body,
  );
}

async function exampleRow(serving: Rest, endpoint: string | undefined): Promise<object> {
  const { models } = await serving.get<{ models: readonly Usage[] }>('/api/v1/predict/models');
  const wanted = models.find((model) => (endpoint === undefined ? model.default : model.endpoint === endpoint));
  if (wanted) return wanted.input_example;
  const served = models.flatMap((model) => model.endpoint ?? []);
  const known = served.length > 0 ? `name one of ${served.join(', ')}` : 'train a model first, as `npm run demo` does';
  const asked = endpoint === undefined ? 'there is no default model' : `nothing is served at '${endpoint}'`;
  throw new PlatformError('NOT_FOUND', `${asked}; ${known}`);
}

function parseRow(text: string): object {
  const wrong = (cause?: unknown) =>
    new PlatformError('INVALID', `--row must be a JSON object, as {"age": 41}, not '${text}'`, { cause });
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch (cause) {
    throw wrong(cause);
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw wrong();
  return row;
}
