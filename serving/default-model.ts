import { parse } from 'yaml';
import { z } from 'zod';
import type { WatchedEndpoint } from '../db/endpoints.ts';
import { PlatformError } from '../lib/errors.ts';

const MODEL_URI = /^models:\/([^/@]+)(?:@([^/@]+)|\/([1-9]\d{0,8}))$/;
const ConfigFile = z.strictObject({
  model_uri: z.string().regex(MODEL_URI, 'models:/<name>@<alias> or models:/<name>/<version>').nullish(),
});

export interface ModelChoice {
  /** MODEL_URI in the environment. */
  readonly environment: string | undefined;
  /** Text of the configuration file; null without one. */
  readonly configFile: string | null;
  readonly modelName: string;
}

/** Which model answers at the root: MODEL_URI, else `model_uri` of the configuration file, else `production`. */
export function chooseModelUri({ environment, configFile, modelName }: ModelChoice): string {
  const production = `models:/${modelName}@production`;
  return environment ?? (configFile === null ? null : readModelUri(configFile)) ?? production;
}

/** The model whose `production` alias the URI follows; null when it names something else. */
export function productionModelOf(uri: string): string | null {
  const [, name, alias] = MODEL_URI.exec(uri) ?? [];
  return alias === 'production' ? name! : null;
}

/** A version never changes what it names; an alias may. */
export const isVersionUri = (uri: string) => MODEL_URI.exec(uri)?.[3] !== undefined;

/** `production` names what an endpoint serves: the one of the model's own name, else the first by name. */
export function endpointOfModel(modelName: string, endpoints: readonly WatchedEndpoint[]): string | null {
  const serving = endpoints.filter(({ current }) => current?.model.modelName === modelName).map(({ name }) => name);
  return serving.includes(modelName) ? modelName : (serving.sort()[0] ?? null);
}

function readModelUri(text: string): string | null {
  const parsed = ConfigFile.safeParse(readYaml(text) ?? {});
  if (parsed.success) return parsed.data.model_uri ?? null;
  const details = parsed.error.issues.map(({ path, code, message }) => ({ path: path.join('.'), rule: code, message }));
  const lines = details.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new PlatformError('INVALID', `the serving configuration file is not valid: ${lines}`, { details });
}

function readYaml(text: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new PlatformError('INVALID', 'the serving configuration file is not YAML', { cause });
  }
}
