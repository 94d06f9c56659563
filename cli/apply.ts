import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PlatformError } from '../lib/errors.ts';
import { PipelineDefinition } from '../pipelines/definition.ts';
import { fetchWith, type Fetch } from './session.ts';

export interface AppliedPipeline {
  readonly name: string;
  readonly version: number;
}

/**
 * Sends every pipeline that a TypeScript file exports (`export const loans = definePipeline({…})`) to the API. An
 * unchanged one stays at its version. Throws INVALID when the file exports none, or with what the API found wrong.
 */
export async function applyPipelines(file: string, api: string, token: string): Promise<AppliedPipeline[]> {
  const exported = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>;
  const definitions = Object.values(exported).flatMap((value) => {
    const parsed = PipelineDefinition.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  });
  if (definitions.length === 0)
    throw new PlatformError('INVALID', `${file} exports no pipeline; make one with definePipeline`);
  const call = fetchWith(token);
  return await Promise.all(definitions.map((definition) => put(call, api, definition)));
}

async function put(call: Fetch, api: string, definition: PipelineDefinition): Promise<AppliedPipeline> {
  const response = await call(`${api}/api/v1/pipelines/${definition.name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(definition),
  });
  if (!response.ok)
    throw new PlatformError('INVALID', `the API refused '${definition.name}': ${await response.text()}`);
  const { name, version } = (await response.json()) as AppliedPipeline;
  return { name, version };
}
