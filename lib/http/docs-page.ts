import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Hono, type MiddlewareHandler } from 'hono';

// From the npm package, so that the page needs nothing but this process.
const ASSETS = { 'swagger-ui.css': 'text/css', 'swagger-ui-bundle.js': 'text/javascript' } as const;
type Asset = keyof typeof ASSETS;

// Addresses are relative, for a gateway may put the page below another path.
const page = (title: string, root: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="${root}docs/swagger-ui.css" />
  </head>
  <body>
    <div id="docs"></div>
    <script src="${root}docs/swagger-ui-bundle.js"></script>
    <script src="${root}docs/start.js"></script>
  </body>
</html>
`;

// The token given under "Authorize" is kept by the page alone, goes with every request, and fetches the document anew:
// it may say more to who has one.
const START = `const DOCUMENT = new URL('../openapi.json', document.currentScript.src).pathname;
let token;
const remember = (name) => (original, { specActions }) => (given) => {
  const result = original(given);
  token = name === 'authorize' ? given.bearer?.value?.trim() : undefined;
  specActions.download(DOCUMENT);
  return result;
};
SwaggerUIBundle({
  url: DOCUMENT,
  dom_id: '#docs',
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (token) request.headers.Authorization = 'Bearer ' + token;
    return request;
  },
  plugins: [
    { statePlugins: { auth: { wrapActions: { authorize: remember('authorize'), logout: remember('logout') } } } },
  ],
});
`;

// Swagger UI styles some elements where they stand and has its icons in its style sheet.
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Routes for `/docs`: the document at `/openapi.json`, for people. The title is plain text of ours. */
export const docsRoutes = (title: string, guard: MiddlewareHandler) =>
  new Hono()
    .get('/', guard, (c) => {
      const root = new URL(c.req.url).pathname.endsWith('/') ? '../' : ''; // c.req.path has lost its last slash
      return c.html(page(title, root), 200, { 'content-security-policy': CONTENT_SECURITY_POLICY });
    })
    .get('/start.js', guard, (c) => c.body(START, 200, { 'content-type': 'text/javascript' }))
    .get('/:asset{swagger-ui\\.css|swagger-ui-bundle\\.js}', guard, async (c) => {
      const asset = c.req.param('asset') as Asset;
      const bytes = await readFile(join(packageFolder(), asset));
      return c.body(bytes, 200, { 'content-type': ASSETS[asset], 'cache-control': 'public, max-age=3600' });
    });

const packageFolder = () => dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
