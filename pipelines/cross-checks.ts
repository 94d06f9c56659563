import { comparesCells } from '../ml/drift/choose-method.ts';
import { columnsOf } from '../ml/expression/expression.ts';
import { parseExpression } from '../ml/expression/parse.ts';
import type { Feature, PipelineDefinition } from './definition.ts';

/** Columns of a drift report beside the features: a policy names them as it names those. */
const NO_FEATURES = ['prediction', 'target'];

/** Rules that concern several fields at once. `report` takes a path into the definition and the broken rule. */
export function crossCheck(definition: PipelineDefinition, report: Report): void {
  checkNames(definition, report);
  for (const [name, feature] of Object.entries(definition.features)) checkFeature(['features', name], feature, report);
  for (const [name, text] of Object.entries(definition.derived)) {
    for (const problem of problemsOf(text, definition.features)) report(['derived', name], problem);
  }
  if (definition.decision.positive === definition.decision.negative)
    report(['decision'], 'positive and negative must differ');
  const watched = new Set([...Object.keys(definition.features), ...NO_FEATURES]);
  checkDrift(definition, watched, report);
  for (const [index, column] of (definition.retraining?.on_drift?.columns ?? []).entries())
    if (!watched.has(column)) report(['retraining', 'on_drift', 'columns', index], `'${column}' is not a feature`);
}

function checkDrift({ drift, features }: PipelineDefinition, watched: ReadonlySet<string>, report: Report): void {
  for (const [index, name] of drift.ignore.entries())
    if (!watched.has(name)) report(['drift', 'ignore', index], `'${name}' is not a feature`);
  for (const [name, { method }] of Object.entries(drift.columns)) {
    const numeric = name === 'prediction' || features[name]?.type === 'numeric';
    if (!watched.has(name)) report(['drift', 'columns', name], `'${name}' is not a feature`);
    else if (method && !comparesCells(method) && !numeric)
      report(['drift', 'columns', name, 'method'], `${method} compares numbers, but '${name}' is not numeric`);
  }
}

type Report = (path: (string | number)[], message: string) => void;

/** Column names of CSV and SQL do not tell upper from lower case, so neither may these. */
function checkNames({ target, features, derived, entity }: PipelineDefinition, report: Report): void {
  const taken = new Map([[target.column.toLowerCase(), 'the target']]);
  const claim = (path: string[], name: string, kind: string) => {
    const holder = taken.get(name.toLowerCase());
    if (holder) report(path, `the name is taken by ${holder}`);
    else taken.set(name.toLowerCase(), `${kind} ${name}`);
  };
  for (const name of Object.keys(features)) claim(['features', name], name, 'feature');
  for (const name of NO_FEATURES.filter((reserved) => Object.hasOwn(features, reserved)))
    report(['features', name], `'${name}' is a column of every drift report that is no feature`);
  for (const name of Object.keys(derived)) claim(['derived', name], name, 'derived feature');
  if (entity !== undefined) claim(['entity'], entity, 'entity');
}

function checkFeature(path: string[], feature: Feature, report: Report): void {
  if (!feature.nullable && feature.max_null_share !== 1)
    report([...path, 'max_null_share'], 'only with nullable: true');
  if (feature.type === 'numeric' && feature.min !== undefined && feature.max !== undefined && feature.min > feature.max)
    report([...path, 'min'], `min ${feature.min} is above max ${feature.max}`);
  if (feature.type === 'categorical' && feature.allowed) checkAllowed([...path, 'allowed'], feature, report);
}

function checkAllowed(path: string[], feature: Extract<Feature, { type: 'categorical' }>, report: Report): void {
  const wanted = feature.values === 'string' ? 'string' : 'number';
  const allowed = feature.allowed ?? [];
  for (const [index, value] of allowed.entries()) {
    if (typeof value !== wanted)
      report([...path, index], `must be a ${feature.values === 'string' ? 'string' : 'whole number'}`);
    else if (allowed.indexOf(value) < index) report([...path, index], `${JSON.stringify(value)} is listed twice`);
  }
}

function problemsOf(text: string, features: PipelineDefinition['features']): string[] {
  try {
    return columnsOf(parseExpression(text)).flatMap((column) => {
      const feature = Object.hasOwn(features, column) ? features[column] : undefined;
      if (!feature) return [`column '${column}' is not a feature`];
      return feature.type === 'categorical' ? [`column '${column}' is categorical, not numeric or boolean`] : [];
    });
  } catch (error) {
    if (error instanceof RangeError) return [error.message];
    throw error;
  }
}
