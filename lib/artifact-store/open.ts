import { join } from 'node:path';
import type { ArtifactStore } from '../artifact-store.ts';
import { required, type Config } from '../config.ts';
import { createFolderStore } from './folder.ts';
import { createS3Store, type S3Store } from './s3.ts';

/** The store that the configuration names: the bucket of S3_ENDPOINT, else the folder `artifacts` in ANNEAL_HOME. */
export const openArtifactStore = (config: Config): ArtifactStore =>
  config.S3_ENDPOINT === undefined ? createFolderStore(join(config.ANNEAL_HOME, 'artifacts')) : openS3Store(config);

export const openS3Store = (config: Config): S3Store =>
  createS3Store({
    endpoint: required(config, 'S3_ENDPOINT'),
    region: config.S3_REGION,
    bucket: required(config, 'S3_BUCKET'),
    accessKey: required(config, 'S3_ACCESS_KEY'),
    secretKey: required(config, 'S3_SECRET_KEY'),
  });
