import { z } from 'zod';
import { crossCheck } from './cross-checks.ts';
import { DriftPolicy } from './drift-policy.ts';
import { BAR_CAN_BE_MET, BAR_HAS_ONE_LIMIT, MetricBarFields } from './metric-bar.ts';
import { ColumnName, Slug } from './names.ts';
import { RetrainingPolicy } from './retraining-policy.ts';

const missing = {
  /** May the value be absent or null, in training data and in a prediction request? */
  nullable: z.boolean().default(false),
  /** Largest share of missing values in a training dataset; only with `nullable`. */
  max_null_share: z.number().min(0).max(1).default(1),
};
const NumericFeature = z.strictObject({
  type: z.literal('numeric'),
  /** Bounds of the data contract (inclusive). Serving does not enforce them. */
  min: z.number().optional(),
  max: z.number().optional(),
  ...missing,
});
const CategoricalFeature = z.strictObject({
  type: z.literal('categorical'),
  values: z.enum(['string', 'integer']).default('string'),
  /** Closed list of categories; without it any category is accepted. */
  allowed: z
    .array(z.union([z.string(), z.int()]))
    .min(1)
    .max(1000)
    .optional(),
  ...missing,
});
const BooleanFeature = z.strictObject({ type: z.literal('boolean'), ...missing });
export const Feature = z.discriminatedUnion('type', [NumericFeature, CategoricalFeature, BooleanFeature]);

/** Where the rows come from. `dataset` is an id that POST /datasets answered. */
export const DataSource = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('dataset'), dataset_version: z.string().regex(/^ds_[0-9TZ]+_[0-9a-f]{12}$/) }),
  z.strictObject({
    kind: z.literal('object'),
    key: z.string().min(1).max(1024),
    format: z.enum(['csv', 'parquet', 'ndjson']),
  }),
  /** `connection` is a name in the configuration's allow-list (SOURCE_DATABASES), never a URL. */
  z.strictObject({ kind: z.literal('sql'), connection: Slug, query: z.string().min(1).max(20_000) }),
  /** Fetched by each run. Its host must be in the configuration's allow-list (OUTGOING_HOSTS). */
  z.strictObject({
    kind: z.literal('url'),
    url: z.url({ protocol: /^https?$/, error: 'a URL as https://host/path' }).max(2048),
    format: z.enum(['csv', 'parquet', 'ndjson']),
    /** Of the bytes that are expected; others fail the run. */
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits')
      .optional(),
  }),
]);

const Contract = z
  .strictObject({
    /** Columns that are neither features nor target: dropped or a violation. */
    extra_columns: z.enum(['ignore', 'reject']).default('ignore'),
    /** Most columns of a CSV or Parquet file, extra ones included: more are rarely meant. */
    max_columns: z.int().min(1).max(100_000).default(2000),
    /** Largest share of rows that repeat an earlier row. */
    max_duplicate_share: z.number().min(0).max(1).default(1),
    min_rows: z.int().min(10).default(100),
    /** A worker's memory grows with rows, however small the file is. */
    max_rows: z.int().min(10).max(0x7fffffff).default(20_000_000),
  })
  .refine((c) => c.min_rows <= c.max_rows, { path: ['max_rows'], error: 'must be at least min_rows' });

const Split = z
  .strictObject({
    train: z.number().gt(0).lt(1).default(0.7),
    validation: z.number().gt(0).lt(1).default(0.15),
    test: z.number().gt(0).lt(1).default(0.15),
    seed: z.int().min(0).max(0xffffffff).default(1),
  })
  .refine((s) => Math.abs(s.train + s.validation + s.test - 1) < 1e-9, 'train + validation + test must be 1');

/** Each listed value makes one candidate with every combination of the others (the grid). */
const grid = <T extends z.ZodType>(value: T, initial: z.output<T>) =>
  z
    .array(value)
    .min(1)
    .max(10)
    .default([initial] as never);
const LogisticRegression = z.strictObject({
  algorithm: z.literal('logistic_regression'),
  /** L2 penalty on standardised coefficients, in units of one observation. */
  l2: grid(z.number().min(0), 1),
  class_weight: grid(z.enum(['none', 'balanced']), 'none'),
});
const GradientBoosting = z.strictObject({
  algorithm: z.literal('gradient_boosting'),
  trees: grid(z.int().min(1).max(5000), 300),
  learning_rate: grid(z.number().gt(0).max(1), 0.1),
  max_leaves: grid(z.int().min(2).max(1024), 31),
  min_rows_per_leaf: grid(z.int().min(1), 20),
  l2: grid(z.number().min(0), 1),
  class_weight: grid(z.enum(['none', 'balanced']), 'none'),
  /** Stop after this many trees without a better validation log loss. */
  early_stopping_rounds: grid(z.int().min(1).max(1000), 30),
});
export const Candidate = z.discriminatedUnion('algorithm', [LogisticRegression, GradientBoosting]);

// Each candidate is an activity with its events; more would outgrow a run's history.
export const MAX_CANDIDATES = 25;
const gridSize = ({ algorithm: _algorithm, ...grid }: z.output<typeof Candidate>) =>
  Object.values(grid).reduce((product, values) => product * values.length, 1);
const Candidates = z
  .array(Candidate)
  .min(1)
  .max(10)
  .refine(
    (candidates) => candidates.reduce((sum, candidate) => sum + gridSize(candidate), 0) <= MAX_CANDIDATES,
    `the grids make more than ${MAX_CANDIDATES} candidates`,
  );

const Gate = z
  .strictObject(MetricBarFields)
  .refine(...BAR_HAS_ONE_LIMIT)
  .refine(...BAR_CAN_BE_MET);
const Evaluation = z.strictObject({
  /** Ranks the candidates on the validation split. */
  select_by: z.enum(['roc_auc', 'pr_auc', 'log_loss', 'brier']).default('roc_auc'),
  /** Absolute bars on the test split. */
  gates: z
    .array(Gate)
    .max(20)
    .default([{ metric: 'roc_auc', at_least: 0.5 }]),
  /** A challenger may be worse than production by at most this much, on `select_by`, same test rows. */
  max_regression: z.number().min(0).default(0.005),
});

const Decision = z.strictObject({
  /** `fixed` uses `value`; `max_f1` takes the best F1 on the validation split. */
  threshold: z
    .discriminatedUnion('policy', [
      z.strictObject({ policy: z.literal('fixed'), value: z.number().gt(0).lt(1) }),
      z.strictObject({ policy: z.literal('max_f1') }),
    ])
    .default({ policy: 'fixed', value: 0.5 }),
  /** Decision when the probability is at or above the threshold, and below it. */
  positive: z.string().min(1).max(100).default('POSITIVE'),
  negative: z.string().min(1).max(100).default('NEGATIVE'),
});

function isTimeZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}

const Schedule = z.strictObject({
  /** Five cron fields. A run that would overlap a running one is skipped. */
  cron: z.string().regex(/^(\S+\s+){4}\S+$/, 'five cron fields'),
  timezone: z.string().refine(isTimeZone, 'not an IANA time zone such as Europe/Paris').default('UTC'),
  /** Missed starts older than this are dropped when the server comes back. */
  catchup_window_seconds: z.int().min(10).default(3600),
});

const Definition = z.strictObject({
  name: Slug,
  description: z.string().max(2000).default(''),
  task: z.literal('binary_classification').default('binary_classification'),
  /** Used when a run names no source of its own, as scheduled runs do. */
  source: DataSource.optional(),
  target: z.strictObject({
    column: ColumnName,
    /** The class whose probability is predicted; compared as text, so `true`, `1` and `"yes"` all work. */
    positive: z.union([z.string(), z.number(), z.boolean()]).transform(String).default('true'),
  }),
  features: z.record(ColumnName, Feature).refine((f) => Object.keys(f).length > 0, 'at least one feature'),
  /** name → expression over numeric and boolean features, for example `"total_charges / (account_age + 1)"`. */
  derived: z.record(ColumnName, z.string().min(1).max(500)).default({}),
  /** A column that says whom or what a row is about, neither feature nor target; labels may name predictions by it. */
  entity: ColumnName.optional(),
  contract: Contract.prefault({}),
  split: Split.prefault({}),
  candidates: Candidates,
  evaluation: Evaluation.prefault({}),
  decision: Decision.prefault({}),
  /** `manual` registers the version and leaves the alias and the endpoint alone. */
  promotion: z.enum(['automatic', 'manual']).default('automatic'),
  /** Registered model name; the pipeline's name unless given. */
  model: Slug.optional(),
  /** Served name; the pipeline's name unless given. */
  endpoint: Slug.optional(),
  schedule: Schedule.optional(),
  drift: DriftPolicy.prefault({}),
  retraining: RetrainingPolicy.optional(),
});

/** What a pipeline is. `parse` fills defaults; unknown keys are errors that name the key. */
export const PipelineDefinition = Definition.superRefine((definition, context) =>
  crossCheck(definition, (path, message) => context.addIssue({ code: 'custom', path, message })),
);

/** Settings a single run may replace; everything else is the pipeline's. */
export const RunOverrides = z.strictObject({
  candidates: Definition.shape.candidates.optional(),
  evaluation: Evaluation.optional(),
  promotion: Definition.shape.promotion.optional(),
  split: Split.optional(),
});

export type PipelineDefinition = z.output<typeof PipelineDefinition>;
export type PipelineDefinitionInput = z.input<typeof PipelineDefinition>;
export type Feature = z.output<typeof Feature>;
export type DataSource = z.output<typeof DataSource>;
export type Candidate = z.output<typeof Candidate>;
export type RunOverrides = z.output<typeof RunOverrides>;

/** Checks a definition written in TypeScript and fills its defaults. Throws a ZodError that names each bad field. */
export const definePipeline = (input: PipelineDefinitionInput): PipelineDefinition => PipelineDefinition.parse(input);

/** A definition as it is stored: JSON bytes. */
export const parseDefinition = (bytes: Uint8Array): PipelineDefinition =>
  PipelineDefinition.parse(JSON.parse(new TextDecoder().decode(bytes)));

export const modelNameOf = (definition: PipelineDefinition) => definition.model ?? definition.name;
export const endpointNameOf = (definition: PipelineDefinition) => definition.endpoint ?? definition.name;
