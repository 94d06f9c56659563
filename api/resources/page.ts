import { z } from '@hono/zod-openapi';
import type { Page } from '../../db/pagination.ts';

const PageFields = {
  limit: z.coerce.number().int().min(1).max(200).default(50).openapi({ description: 'Entries per page' }),
  cursor: z.string().min(1).max(1000).optional().openapi({ description: '`next_cursor` of the page before' }),
};
export const PageQuery = z.object(PageFields);
export const pageQuery = <Shape extends z.core.$ZodLooseShape>(filters: Shape) =>
  z.object({ ...PageFields, ...filters });

export const pageOf = <Item extends z.ZodType>(item: Item, name: string) =>
  z
    .object({
      items: z.array(item),
      next_cursor: z.string().nullable().openapi({ description: 'null on the last page' }),
    })
    .openapi(name);

export const toPageBody = <Row, Item>({ items, nextCursor }: Page<Row>, toItem: (row: Row) => Item) => ({
  items: items.map(toItem),
  next_cursor: nextCursor,
});
