import { predictionId } from '../../../serving/prediction-id.ts';
import type { PredictionBatch, PredictionRecord } from '../../../serving/prediction-log/record.ts';

export const exampleRecord = (changes: Partial<PredictionRecord> = {}): PredictionRecord => ({
  id: predictionId(),
  endpoint: 'churn',
  revision: 1,
  model: 'churn',
  version: 1,
  features: { age: 30, contract: 'monthly', paperless: true, tenure: null },
  probability: 0.1 + 0.2,
  label: 'yes',
  decision: 'REJECT',
  latency_us: 450,
  trace_id: null,
  request_id: 'r-1',
  caller: 'ada/ci',
  ...changes,
});
export const exampleBatch = (changes: Partial<PredictionBatch> = {}): PredictionBatch => ({
  rows: 3,
  ids: [predictionId(), predictionId(), predictionId()],
  features: [{ age: 30, contract: 'monthly', tenure: null }, { age: 31 }, {}],
  probabilities: [0.25, 0.5, Math.fround(0.1)],
  cut: 0.5,
  labels: ['no', 'yes'],
  decisions: ['ACCEPT', 'REJECT'],
  endpoint: 'churn',
  revision: 1,
  model: 'churn',
  version: 1,
  latency_us: 450,
  trace_id: null,
  request_id: 'r-1',
  caller: 'ada/ci',
  ...changes,
});
export const lineOf = (record: unknown) => `${JSON.stringify(record)}\n`;
export const exampleLine = (changes: Partial<PredictionRecord> = {}) => lineOf(exampleRecord(changes));
