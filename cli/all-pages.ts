import type { Rest } from './rest.ts';

/** Every entry of a list of the API, from its first page to its last. */
export async function allPages<T>(api: Rest, path: string): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const next = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { items: T[]; next_cursor: string | null } = await api.get(`${path}?limit=200${next}`);
    items.push(...page.items);
    cursor = page.next_cursor;
  }
  return items;
}
