// The bundle Temporal loads: every exported function is a workflow type.
export { batchPredict } from './batch-predict.ts';
export { buildFeatures } from './build-features.ts';
export { deliverAlert } from './deliver-alert.ts';
export { deployModel } from './deploy-model.ts';
export { preprocessData } from './preprocess-data.ts';
export { retrain } from './retrain.ts';
export { trainModel } from './train-model.ts';
export { watchDrift } from './watch-drift.ts';
