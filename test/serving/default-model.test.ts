import { expect, test } from 'vitest';
import type { WatchedEndpoint } from '../../db/endpoints.ts';
import { chooseModelUri, endpointOfModel, isVersionUri, productionModelOf } from '../../serving/default-model.ts';
import { servedModel } from './example-models.ts';

const endpoint = (name: string, modelName: string): WatchedEndpoint => ({
  name,
  current: { revision: 1, runId: 'run-1', traceparent: null, model: servedModel(1, { modelName }) },
  next: null,
});

test('MODEL_URI wins over the configuration file, which wins over the production alias', () => {
  const modelName = 'churn';
  const configFile = 'model_uri: models:/battle@production\n';
  expect(chooseModelUri({ environment: 'models:/a/3', configFile, modelName })).toBe('models:/a/3');
  expect(chooseModelUri({ environment: undefined, configFile, modelName })).toBe('models:/battle@production');
  for (const empty of [null, '', '# nothing\n', 'model_uri:\n']) {
    expect(chooseModelUri({ environment: undefined, configFile: empty, modelName })).toBe('models:/churn@production');
  }
});

test.for([
  ['a URI of another form', 'model_uri: runs:/1/model', 'model_uri'],
  ['a key that means nothing', 'model_url: models:/a/1', 'model_url'],
  ['text that is no YAML', 'model_uri: [', 'not YAML'],
])('a configuration file with %s is an error that names it', ([, configFile, named]) => {
  expect(() => chooseModelUri({ environment: undefined, configFile: configFile!, modelName: 'churn' })).toThrow(named!);
});

test('only the production alias follows an endpoint, and only a version is pinned for good', () => {
  expect(productionModelOf('models:/churn@production')).toBe('churn');
  expect(productionModelOf('models:/churn@challenger')).toBeNull();
  expect(productionModelOf('models:/churn/3')).toBeNull();
  expect(isVersionUri('models:/churn/3')).toBe(true);
  expect(isVersionUri('models:/churn@challenger')).toBe(false);
});

test('of several endpoints that serve a model, the one with its name answers for it', () => {
  const others = [endpoint('a', 'churn'), endpoint('z', 'battle')];
  expect(endpointOfModel('churn', [...others, endpoint('churn', 'churn')])).toBe('churn');
  expect(endpointOfModel('churn', others)).toBe('a');
  expect(endpointOfModel('churn', [{ ...endpoint('a', 'churn'), current: null }])).toBeNull();
});
