import { quoteText, type DuckDb } from '../lib/duckdb.ts';
import type { ErrorDetail } from '../lib/errors.ts';
import { classText } from '../ml/class-text.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { MAX_ROW_BYTES } from './file-head.ts';
import type { TableColumn } from './table-schema.ts';
import { shorten } from './violations.ts';

/** A relation to check: for every column, SQL of its typed value and of the text that a message quotes. */
export interface CheckedRelation {
  readonly from: string;
  /** SQL: number of the row in the file, from 1. */
  readonly row: string;
  readonly columns: readonly CheckedColumn[];
  /** Which columns to look at; the others are known to keep their rules. */
  readonly suspect: (column: CheckedColumn) => boolean;
  /** Turns a row of the relation into the file's row, where unreadable rows were left out. */
  readonly rowInFile: (row: number) => number;
}
export interface CheckedColumn extends TableColumn {
  readonly typed: string;
  readonly text: string;
  readonly missing: string;
  /** May there be text that is not of the type? */
  readonly mayMistype: boolean;
}

interface Rule {
  readonly column: CheckedColumn;
  readonly rule: string;
  /** SQL condition of a row that breaks it. */
  readonly broken: string;
  readonly message: (value: string) => string;
  /** How many rows may break it, as a share. */
  readonly allowedShare?: number;
}
interface Counts {
  readonly [key: string]: string;
}

const COLUMNS_PER_QUERY = 100;

/** Every rule of the data contract that the relation breaks. */
export async function checkContract(
  db: DuckDb,
  relation: CheckedRelation,
  definition: PipelineDefinition,
): Promise<ErrorDetail[]> {
  const total = await db.rows<{ rows: string }>(`SELECT count(*) AS rows FROM ${relation.from}`);
  const rows = Number(total[0]!.rows);
  const details = await checkRows(db, relation, definition, rows);
  const suspects = relation.columns.filter(relation.suspect);
  for (let start = 0; start < suspects.length; start += COLUMNS_PER_QUERY) {
    const rules = suspects.slice(start, start + COLUMNS_PER_QUERY).flatMap(rulesOf);
    details.push(...(await checkRules(db, relation, rules, rows)));
  }
  return [...details, ...(await checkClasses(db, relation, definition))];
}

/** SQL condition of a row that breaks a rule of the contract by itself: any but a share of all rows. */
export const brokenRowSql = (columns: readonly CheckedColumn[]): string =>
  columns
    .flatMap(rulesOf)
    .filter(({ allowedShare }) => allowedShare === undefined)
    .map(({ broken }) => `coalesce(${broken}, false)`)
    .join(' OR ');

async function checkRows(
  db: DuckDb,
  { from, columns }: CheckedRelation,
  { contract }: PipelineDefinition,
  rows: number,
): Promise<ErrorDetail[]> {
  const details: ErrorDetail[] = [];
  if (rows < contract.min_rows) {
    const message = `the file has ${rows} rows, but at least ${contract.min_rows} are needed`;
    details.push({ path: 'file', rule: 'min_rows', message });
  }
  if (contract.max_duplicate_share === 1 || rows === 0) return details;
  const values = columns.map(({ typed }) => typed).join(', ');
  const counted = await db.rows<{ n: string }>(
    `SELECT count(*) AS n FROM (SELECT DISTINCT hash(${values}) FROM ${from})`,
  );
  const repeated = rows - Number(counted[0]!.n);
  if (repeated / rows > contract.max_duplicate_share) {
    const message = `${repeated} of ${rows} rows repeat another row; allowed is a share of ${contract.max_duplicate_share}`;
    details.push({ path: 'file', rule: 'max_duplicate_share', message });
  }
  return details;
}

async function checkRules(db: DuckDb, relation: CheckedRelation, rules: readonly Rule[], rows: number) {
  if (rules.length === 0 || rows === 0) return [];
  const counts = rules.map(({ broken }, i) => `count(*) FILTER (WHERE ${broken}) AS n${i}`);
  const [counted] = await db.rows<Counts>(`SELECT ${counts.join(', ')} FROM ${relation.from}`);
  const found = rules
    .map((rule, i) => ({ rule, count: Number(counted![`n${i}`]) }))
    .filter(({ rule, count }) => count > rows * (rule.allowedShare ?? 0));
  return await locate(db, relation, found, rows);
}

async function locate(
  db: DuckDb,
  relation: CheckedRelation,
  found: readonly { rule: Rule; count: number }[],
  rows: number,
): Promise<ErrorDetail[]> {
  if (found.length === 0) return [];
  const where = found.map(
    ({ rule: { broken, column } }, i) =>
      `min(${relation.row}) FILTER (WHERE ${broken}) AS row${i},
       left(arg_min(${column.text}, ${relation.row}) FILTER (WHERE ${broken}), 70) AS value${i}`,
  );
  const [first] = await db.rows<Counts>(`SELECT ${where.join(', ')} FROM ${relation.from}`);
  return found.map(({ rule, count }, i) => {
    const row = relation.rowInFile(Number(first![`row${i}`]));
    const what = rule.message(shorten(first![`value${i}`] ?? ''));
    const message =
      rule.allowedShare === undefined
        ? `row ${row} ${what}${count > 1 ? ` (and ${count - 1} more rows)` : ''}`
        : `${count} of ${rows} rows ${what}`;
    return { path: rule.column.name, rule: rule.rule, message };
  });
}

function rulesOf(column: CheckedColumn): Rule[] {
  const { typed, missing, feature } = column;
  const rules: Rule[] = [];
  if (column.mayMistype) {
    rules.push({
      column,
      rule: 'type',
      broken: `NOT (${missing}) AND (${typed}) IS NULL`,
      message: (value) => `has ${value}, which is not ${TYPE_NAMES[column.type]}`,
    });
  }
  rules.push(missingRule(column));
  // The readers of CSV and NDJSON refuse longer rows themselves.
  if (column.type === 'categorical_string' || column.type === 'target') {
    rules.push({
      column,
      rule: 'cell_size',
      broken: `strlen(${typed}) > ${MAX_ROW_BYTES}`,
      message: (value) => `has ${value}, which is longer than ${MAX_ROW_BYTES} bytes`,
    });
  }
  if (feature?.type === 'numeric') rules.push(...numericRules(column, feature));
  if (feature?.type === 'categorical' && feature.allowed) {
    const list = feature.allowed.map((value) => (typeof value === 'number' ? String(value) : quoteText(value)));
    rules.push({
      column,
      rule: 'allowed',
      broken: `${typed} NOT IN (${list.join(', ')})`,
      message: (value) => `has ${value}, which is not one of the allowed values`,
    });
  }
  return rules;
}

const TYPE_NAMES: Record<TableColumn['type'], string> = {
  numeric: 'a number',
  boolean: 'true or false',
  categorical_integer: 'a whole number of at most 2^53',
  categorical_string: 'text',
  target: 'text',
};

function missingRule(column: CheckedColumn): Rule {
  const { feature, missing } = column;
  if (!feature?.nullable) return { column, rule: 'not_null', broken: missing, message: () => 'has no value' };
  const allowedShare = feature.max_null_share;
  return {
    column,
    rule: 'max_null_share',
    broken: missing,
    message: () => `have no value; allowed is a share of ${allowedShare}`,
    allowedShare,
  };
}

// Bounds are compared in float32, as the values are stored.
function numericRules(column: CheckedColumn, { min, max }: { min?: number; max?: number }): Rule[] {
  const { typed } = column;
  const rules: Rule[] = [
    {
      column,
      rule: 'finite',
      broken: `isinf(${typed})`,
      message: (value) => `has ${value}, which is beyond the range of float32`,
    },
  ];
  const bound = (rule: string, operator: string, limit: number, word: string) =>
    rules.push({
      column,
      rule,
      broken: `${typed} ${operator} '${limit}'::FLOAT AND NOT isinf(${typed})`,
      message: (value) => `has ${value}, which is ${word} ${limit}`,
    });
  if (min !== undefined) bound('min', '<', min, 'below');
  if (max !== undefined) bound('max', '>', max, 'above');
  return rules;
}

async function checkClasses(
  db: DuckDb,
  relation: CheckedRelation,
  { target }: PipelineDefinition,
): Promise<ErrorDetail[]> {
  const { typed } = relation.columns.at(-1)!;
  const classes = await db.rows<{ class: string; row: string; rows: string }>(
    `SELECT left(${typed}, 70) AS class, min(${relation.row}) AS row, count(*) AS rows FROM ${relation.from}
     WHERE ${typed} IS NOT NULL GROUP BY 1 ORDER BY 2 LIMIT 10`,
  );
  const path = target.column;
  if (classes.length === 0) return [];
  const names = classes.map((found) => shorten(found.class)).join(', ');
  if (classes.length === 1) {
    return [{ path, rule: 'two_classes', message: `the target is ${names} in every row; it needs two classes` }];
  }
  if (classes.length > 2) {
    const row = relation.rowInFile(Number(classes[2]!.row));
    const message = `row ${row} has a third class; the target has ${names}${classes.length === 10 ? ', …' : ''}`;
    return [{ path, rule: 'two_classes', message }];
  }
  if (classes.some((found) => found.class === classText(target.positive))) return [];
  const message = `no row is of the positive class ${shorten(target.positive)}; the target has ${names}`;
  return [{ path, rule: 'positive_class', message }];
}
