import type { InputColumn } from '../ml/features.ts';
import type { Feature, PipelineDefinition } from '../pipelines/definition.ts';

/** A column of the typed table: the features in the definition's order, then the target (text of its class). */
export interface TableColumn {
  readonly name: string;
  readonly type: InputColumn['type'] | 'target';
  /** Absent for the target. */
  readonly feature?: Feature;
}

/** The raw features of a definition, as a served model takes them. */
export const inputColumns = (definition: PipelineDefinition): InputColumn[] =>
  Object.entries(definition.features).map(([name, feature]) => ({
    name,
    type: feature.type === 'categorical' ? `categorical_${feature.values}` : feature.type,
    nullable: feature.nullable,
  }));

export const tableColumns = (definition: PipelineDefinition): TableColumn[] => [
  ...inputColumns(definition).map(({ name, type }) => ({ name, type, feature: definition.features[name]! })),
  { name: definition.target.column, type: 'target' },
];

/** `classText` in SQL; an empty text is a missing value. */
export const classTextSql = (text: string) =>
  `CASE WHEN lower(trim(${text})) IN ('true', 'false') THEN lower(trim(${text}))
    WHEN contains(${text}, '.') THEN regexp_replace(trim(${text}), '^(-?\\d+)\\.0+$', '\\1')
    ELSE nullif(trim(${text}), '') END`;
