import { refuse } from './refusal.ts';

export type Members = Readonly<Record<string, unknown>>;

const wrongType = (value: unknown, path: string, expected: string) =>
  value === undefined ? refuse(path, 'required', 'is required') : refuse(path, 'type', `must be ${expected}`);

/** A JSON object. Throws INVALID naming `path`, as the others here. */
export function objectOf(value: unknown, path: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw wrongType(value, path, 'an object');
}

export function arrayOf(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrongType(value, path, 'an array');
}

export function textOf(value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw wrongType(value, path, 'a string');
}

export function flagOf(value: unknown, path: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrongType(value, path, 'true or false');
}

const NONE: Members = {};

/** What stands under `parameters` in an object at `path`. */
export const parametersOf = ({ parameters }: Members, path: string): Members =>
  parameters === undefined ? NONE : objectOf(parameters, path);

const UNSUPPORTED: Readonly<Record<string, string>> = {
  shared_memory_region: 'is not supported: send the tensor in the body',
  classification: 'is not supported: `label` and `decision` hold the class',
};

/** Refuses what would change the answer's meaning and is not done here; parameters that nobody knows are let be. */
export function refuseUnsupported(parameters: Members, path: string): void {
  for (const [name, message] of Object.entries(UNSUPPORTED))
    if (Object.hasOwn(parameters, name)) throw refuse(`${path}.${name}`, 'unsupported', message);
}
