import { refuse } from './refusal.ts';

export type Members = Readonly<Record<string, unknown>>;

/** A JSON object. Throws INVALID naming `path`. */
export function objectOf(value: unknown, path: string): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw refuse(path, 'type', 'must be an object');
}

/** A JSON array. Throws INVALID naming `path`. */
export function arrayOf(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw refuse(
    path,
    value === undefined ? 'required' : 'type',
    value === undefined ? 'is required' : 'must be an array',
  );
}

/** The text that a member holds. Throws INVALID naming it. */
export function textOf(members: Members, name: string, path: string): string {
  const value = members[name];
  if (typeof value === 'string') return value;
  const [rule, message] = value === undefined ? ['required', 'is required'] : ['type', 'must be a string'];
  throw refuse(`${path}.${name}`, rule, message);
}

const NONE: Members = {};

/** What stands under `parameters`. */
export const parametersOf = ({ parameters }: Members, path: string): Members =>
  parameters === undefined ? NONE : objectOf(parameters, path);

/** The true or false that a member holds. Throws INVALID naming it. */
export function flagOf(members: Members, name: string, path: string): boolean | undefined {
  const value = members[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw refuse(`${path}.${name}`, 'type', 'must be true or false');
}

const UNSUPPORTED: Readonly<Record<string, string>> = {
  shared_memory_region: 'is not supported: send the tensor in the body',
  classification: 'is not supported: `label` and `decision` hold the class',
};

/** Refuses what would change the answer's meaning and is not done here; parameters that nobody knows are let be. */
export function refuseUnsupported(parameters: Members, path: string): void {
  for (const [name, message] of Object.entries(UNSUPPORTED))
    if (Object.hasOwn(parameters, name)) throw refuse(`${path}.${name}`, 'unsupported', message);
}
