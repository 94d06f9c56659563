import { PlatformError } from '../../lib/errors.ts';

const VARIABLE = /\$(?:(\$)|\{([A-Za-z_]\w*)(?::-([^{}$]*))?\}|)/g;

/**
 * Fills in `${NAME}` and `${NAME:-default}` in every text of a tree as Compose does: an unset NAME is empty, the default
 * also stands for an empty one, and `$$` is a dollar sign. Throws INVALID for the other forms, which Anneal does not use.
 */
export function interpolate<T>(tree: T, env: Readonly<Record<string, string | undefined>>): T {
  if (typeof tree === 'string') return fillIn(tree, env) as T;
  if (Array.isArray(tree)) return tree.map((item: unknown) => interpolate(item, env)) as T;
  if (typeof tree !== 'object' || tree === null) return tree;
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, interpolate<unknown>(value, env)])) as T;
}

function fillIn(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(VARIABLE, (_, dollar?: string, name?: string, initial: string = '') => {
    if (dollar) return '$';
    if (name !== undefined) return env[name] || initial;
    throw new PlatformError('INVALID', `'${text}': only \${NAME}, \${NAME:-default} and $$ may follow a $`);
  });
}
