import type { Sql } from 'postgres';
import type { RawRow } from '../../../ml/signature.ts';
import { answerTo, rowOf, serialOf } from './rows.ts';

/** Rows of consecutive serial numbers that one request holds. */
export interface Asked {
  readonly first: number;
  readonly rows: number;
  readonly padding: number;
}
/** What was read of a whole answer with status 200. */
export interface Answer {
  readonly endpoint: string;
  readonly version: number;
  readonly predictions: readonly { readonly prediction_id: string; readonly probability: number }[];
}
interface Acknowledged {
  readonly serial: number;
  readonly padding: number;
  readonly endpoint: string;
  readonly version: number;
  readonly probability: number;
}
interface Stored {
  readonly id: string;
  readonly endpoint: string;
  readonly version: number;
  readonly features: RawRow;
  readonly probability: number;
}
export type Ledger = ReturnType<typeof createLedger>;

/**
 * What a client knows of its own predictions. Each row is asked for once.
 * @param answersOf what the version would answer; see `answerTo`
 */
export function createLedger(answersOf: (version: number) => readonly number[] | undefined) {
  let serials = 0;
  const acknowledged = new Map<string, Acknowledged>();
  const lost = new Map<number, Asked>(); // by serial number: connections that broke before the whole answer was there
  const outcomes = new Map<string, number>();
  const wrong: unknown[] = [];

  const count = (outcome: string) => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const serialsOf = ({ first, rows }: Asked) => Array.from({ length: rows }, (_, index) => first + index);

  return {
    ask: (rows: number, padding: number): Asked => {
      const first = serials;
      serials += rows;
      return { first, rows, padding };
    },

    acknowledge: (asked: Asked, { endpoint, version, predictions }: Answer): void => {
      count('ok');
      const answers = answersOf(version);
      if (predictions.length !== asked.rows) wrong.push({ asked, answered: predictions.length });
      for (const [index, { prediction_id: id, probability }] of predictions.entries()) {
        const serial = asked.first + index;
        const right = answers && answerTo(answers, serial);
        if (probability !== right) wrong.push({ serial, version, probability, right });
        if (acknowledged.has(id)) wrong.push({ serial, id, alsoOf: acknowledged.get(id)!.serial });
        acknowledged.set(id, { serial, padding: asked.padding, endpoint, version, probability });
      }
    },

    /** The connection broke while the answer was awaited: the process may have logged the prediction, or not. */
    lose: (asked: Asked): void => {
      count('lost');
      for (const serial of serialsOf(asked)) lost.set(serial, asked);
    },

    /** Not answered with a prediction, and said so. */
    refuse: (reason: string): void => count(reason),

    /** Acknowledged rows. */
    size: (): number => acknowledged.size,
    /** Requests by how they ended. */
    outcomes: (): Record<string, number> => Object.fromEntries(outcomes),
    /** Answers that are not those of their version. */
    wrong: (): readonly unknown[] => wrong,

    /** The table against what was acknowledged. */
    compare: async (sql: Sql) => {
      const stored = new Set<string>();
      const serialsStored = new Set<number>();
      const differences = { missing: [] as string[], duplicated: [] as Stored[], other: [] as unknown[] };
      const halfDone = new Set<Asked>();
      const columns = sql`id, endpoint, version, features, probability`;
      for await (const rows of sql<Stored[]>`select ${columns} from predictions`.cursor(5_000)) {
        for (const row of rows) {
          const serial = serialOf(row.features);
          if (stored.has(row.id) || serialsStored.has(serial)) differences.duplicated.push(row);
          stored.add(row.id);
          serialsStored.add(serial);
          const known = acknowledged.get(row.id);
          if (known && !isAs(row, known)) differences.other.push({ row, known });
          if (!known && lost.has(serial)) halfDone.add(lost.get(serial)!);
          if (!known && !lost.has(serial)) differences.other.push({ row, known: 'never in flight' });
        }
      }
      for (const id of acknowledged.keys()) if (!stored.has(id)) differences.missing.push(id);
      return { differences, /** Requests that were logged, but whose answer nobody read. */ halfDone: halfDone.size };
    },
  };
}

const isAs = (row: Stored, { serial, padding, ...known }: Acknowledged): boolean => {
  const sent = rowOf(serial, padding);
  const names = Object.keys(row.features);
  return (
    row.endpoint === known.endpoint &&
    row.version === known.version &&
    row.probability === known.probability &&
    names.length === Object.keys(sent).length &&
    names.every((name) => row.features[name] === sent[name])
  );
};
