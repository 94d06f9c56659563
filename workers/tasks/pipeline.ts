// What the threads of a pipeline worker can run.
export { assembleBatch, planBatch, scoreBatchChunk } from './batch-predictions.ts';
export { extendTable, prepare, typedTable } from './dataset.ts';
export { evaluate } from './evaluation.ts';
export { exportModel } from './export.ts';
