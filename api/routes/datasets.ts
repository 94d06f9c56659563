import { z } from '@hono/zod-openapi';
import type { FileDoor } from '../../data/file-door.ts';
import type { DatasetRepository } from '../../db/datasets.ts';
import type { DatasetTable, DatasetVersion as DatasetVersionRow } from '../../db/schema/datasets.ts';
import type { ArtifactStore } from '../../lib/artifact-store.ts';
import { Name } from '../resources/name.ts';
import { pageOf, pageQuery, toPageBody } from '../resources/page.ts';
import { declareRoute } from '../declare-route.ts';
import { AskedFormat, FILE_CONTENT, FileFormat, formatOf } from '../file-format.ts';
import { json, problems } from '../resources/problem.ts';
import { createRouter } from '../router.ts';
import { receiveUpload, storeUpload } from '../uploads.ts';

export interface DatasetsDeps {
  readonly datasets: DatasetRepository;
  readonly store: Pick<ArtifactStore, 'putFile'>;
  readonly workDirectory: string;
  readonly maxUploadBytes: number;
  readonly fileDoor: FileDoor;
  readonly now: () => Date;
}
const tags = ['datasets'];
const DatasetVersion = z
  .object({
    id: z.string().openapi({ example: 'ds_20260131T120000Z_0123456789ab' }),
    name: z.string(),
    format: FileFormat,
    bytes: z.int(),
    sha256: z.string(),
    created_by: z.string(),
    created_at: z.iso.datetime(),
  })
  .openapi('DatasetVersion');
const DatasetDetail = DatasetVersion.extend({
  tables: z.array(
    z.object({
      definition_sha256: z.string().openapi({ description: 'The pipeline definition whose contract it was read by' }),
      parquet_sha256: z.string(),
      rows: z.int(),
      profile: z.unknown(),
      created_at: z.iso.datetime(),
    }),
  ),
}).openapi('DatasetDetail');

const uploadDataset = declareRoute(['data'], {
  method: 'post',
  path: '/',
  operationId: 'uploadDataset',
  idempotent: 'by_content',
  tags,
  request: {
    query: z.object({
      name: Name,
      format: AskedFormat,
    }),
    body: { required: true, content: FILE_CONTENT },
  },
  responses: { 201: json(DatasetVersion, 'The same content is the same version') },
});
const listDatasets = declareRoute(['data'], {
  method: 'get',
  path: '/',
  operationId: 'listDatasets',
  tags,
  request: { query: pageQuery({ name: Name.optional() }) },
  responses: { 200: json(pageOf(DatasetVersion, 'DatasetVersionPage'), 'Newest first') },
});
const getDataset = declareRoute(['data'], {
  method: 'get',
  path: '/{id}',
  operationId: 'getDataset',
  tags,
  request: { params: z.object({ id: z.string().regex(/^[A-Za-z0-9_]{1,64}$/) }) },
  responses: { 200: json(DatasetDetail, 'With the tables and profiles made from it'), ...problems(404) },
});

export const datasetRoutes = ({ datasets, store, workDirectory, maxUploadBytes, fileDoor, now }: DatasetsDeps) =>
  createRouter()
    .openapi(uploadDataset, async (c) => {
      const { name, format: asked } = c.req.valid('query');
      const format = formatOf(c.req.header('content-type'), asked);
      const request = c.req.raw;
      const checkBytes = fileDoor.byteCheck(format, 'body');
      const version = await receiveUpload(
        { request, maxBytes: maxUploadBytes, workDirectory, checkBytes },
        async (received) => {
          await fileDoor.inspect({ path: received.path, format, field: 'body', signal: request.signal });
          const { sha256, bytes } = await storeUpload(store, received);
          const createdBy = c.get('actor');
          return await datasets.recordVersion({ datasetName: name, sha256, bytes, format, createdBy, now: now() });
        },
      );
      c.set('auditDetail', { name, format, sha256: version.sha256, bytes: version.bytes });
      c.header('location', `/api/v1/datasets/${version.id}`);
      return c.json(toDatasetVersion(version), 201);
    })
    .openapi(listDatasets, async (c) =>
      c.json(toPageBody(await datasets.list(c.req.valid('query')), toDatasetVersion), 200),
    )
    .openapi(getDataset, async (c) => {
      const version = await datasets.getVersion(c.req.valid('param').id);
      const tables = await datasets.listTables(version.id);
      return c.json({ ...toDatasetVersion(version), tables: tables.map(toTable) }, 200);
    });

const toDatasetVersion = (row: DatasetVersionRow) => ({
  id: row.id,
  name: row.datasetName,
  format: row.format,
  bytes: row.bytes,
  sha256: row.sha256,
  created_by: row.createdBy,
  created_at: row.createdAt.toISOString(),
});

const toTable = (row: DatasetTable) => ({
  definition_sha256: row.definitionSha256,
  parquet_sha256: row.parquetSha256,
  rows: row.rows,
  profile: row.profile,
  created_at: row.createdAt.toISOString(),
});
