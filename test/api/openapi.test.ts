import { expect, test } from 'vitest';
import { createTestApp } from './doubles.ts';

interface Operation {
  readonly operationId?: string;
  readonly tags?: string[];
  readonly responses: Record<string, { readonly description?: string }>;
  readonly requestBody?: { readonly required?: boolean };
  readonly parameters?: { readonly name: string; readonly in: string }[];
}
const documentOf = async () =>
  (await (await createTestApp().app.request('/openapi.json')).json()) as {
    readonly openapi: string;
    readonly paths: Record<string, Record<string, Operation>>;
    readonly components: { readonly schemas: Record<string, unknown> };
  };

test('every route of the API is in the document, each with a unique operation id, answers and its path parameters', async () => {
  const { app } = createTestApp();
  const { openapi, paths } = await documentOf();
  expect(openapi).toBe('3.1.0');
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const documented = operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`);
  const served = app.routes
    .filter((route) => route.path.startsWith('/api/') && route.method !== 'ALL')
    .map((route) => `${route.method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')}`);
  expect(new Set(documented)).toEqual(new Set(served));
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(operations.length);
  for (const { path, operation } of operations) {
    expect(operation.operationId, path).toMatch(/^[a-z][A-Za-z]+$/);
    expect(Object.values(operation.responses).every((response) => response.description)).toBe(true);
    const wanted = [...path.matchAll(/{(\w+)}/g)].map((match) => match[1]);
    const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
    expect(declared.map((parameter) => parameter.name).sort(), path).toEqual(wanted.sort());
    if (operation.requestBody) expect(operation.requestBody.required, path).toBe(true);
  }
});

test('every reference in the document leads somewhere', async () => {
  const document = await documentOf();
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
  expect(references.length).toBeGreaterThan(20);
  for (const [, name] of references) expect(document.components.schemas).toHaveProperty([name!]);
});

test.each(['/docs', '/docs/', '/serving/docs'])(
  'the docs page at %s needs nothing but what is beside it',
  async (at) => {
    const { app } = createTestApp();
    const behind = (path: string) => app.request(path.replace(/^\/serving/, ''));
    const page = await (await behind(at)).text();
    expect(page).not.toMatch(/https?:\/\//);
    const addresses = [...page.matchAll(/(?:src|href)="([^":]+)"/g)].map((match) => match[1]!);
    const assets = addresses.map((address) => new URL(address, `http://localhost${at}`).pathname);
    const folder = at.replace(/\/$/, '');
    expect(assets).toEqual(['swagger-ui.css', 'swagger-ui-bundle.js', 'start.js'].map((name) => `${folder}/${name}`));
    for (const asset of assets) expect((await behind(asset)).status).toBe(200);
    expect((await behind('/docs/package.json')).status).toBe(404);
  },
);
