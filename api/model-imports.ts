import type { ModelRepository } from '../db/models.ts';
import type { ModelVersion } from '../db/schema/models.ts';
import type { ArtifactStore } from '../lib/artifact-store.ts';
import type { CheckModel } from './model-check.ts';
import { type ReceivedFile, storeUpload } from './uploads.ts';

export interface ModelImportDeps {
  readonly models: Pick<ModelRepository, 'importVersion' | 'versionOfFile' | 'getVersion'>;
  readonly store: Pick<ArtifactStore, 'put' | 'putFile'>;
  readonly checkModel: CheckModel;
}
export interface ModelImport {
  readonly name: string;
  readonly file: ReceivedFile;
  readonly importedBy: string;
  readonly signal: AbortSignal;
}

/** Makes a file from outside a version, once it is checked. A file the model has already stays the version it is. */
export async function importModel(
  { models, store, checkModel }: ModelImportDeps,
  { name, file, importedBy, signal }: ModelImport,
): Promise<{ version: ModelVersion; created: boolean }> {
  const known = await models.versionOfFile(name, file.sha256);
  if (known) return { version: known, created: false };
  const { signature, golden } = await checkModel(file, signal);
  const onnx = await storeUpload(store, file);
  const { version, created } = await models.importVersion({
    modelName: name,
    onnxSha256: onnx.sha256,
    onnxBytes: onnx.bytes,
    goldenRowsSha256: (await store.put(Buffer.from(JSON.stringify(golden)))).sha256,
    signature,
    inputExample: golden.rows[0]!,
    importedBy,
  });
  return { version: await models.getVersion(name, version), created };
}
