import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Hono, type MiddlewareHandler } from 'hono';

// From the npm package, so that the page needs nothing but this process.
const ASSETS = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' } as const;
type Asset = keyof typeof ASSETS;

const page = (title: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script>
      SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null });
    </script>
  </body>
</html>
`;

/** Routes for `/docs`: the document at `/openapi.json`, for people. The title is plain text of ours. */
export const docsRoutes = (title: string, guard: MiddlewareHandler) =>
  new Hono()
    .get('/', guard, (c) => c.html(page(title)))
    .get('/:asset{swagger-ui\\.css|swagger-ui-bundle\\.js}', guard, async (c) => {
      const asset = c.req.param('asset') as Asset;
      const bytes = await readFile(join(packageFolder(), asset));
      return c.body(bytes, 200, { 'content-type': ASSETS[asset], 'cache-control': 'public, max-age=3600' });
    });

const packageFolder = () => dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
