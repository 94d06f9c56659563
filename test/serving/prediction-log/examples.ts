import { predictionId } from '../../../serving/prediction-id.ts';
import type { PredictionRecord } from '../../../serving/prediction-log/record.ts';

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
export const lineOf = (record: unknown) => `${JSON.stringify(record)}\n`;
export const exampleLine = (changes: Partial<PredictionRecord> = {}) => lineOf(exampleRecord(changes));
