import ts from 'typescript';

/** What a module loads when it runs, as it is written there. */
export interface References {
  /** `../lib/log.ts`, `hono/cors`, `node:fs`; with the packages whose files are looked up by `require.resolve`. */
  readonly specifiers: readonly string[];
  /** Modules that threads and children start with, relative to the module; `*` stands for what is known only at run time. */
  readonly entries: readonly string[];
}

/** Imports (static, dynamic, re-exports; not of types, which are erased) and `new URL('x.ts', import.meta.url)` of a module. */
export function referencesOf(source: string): References {
  const specifiers: string[] = [];
  const entries: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) specifiers.push(specifier);
    const entry = entryOf(node);
    if (entry?.endsWith('.ts')) entries.push(entry);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('module.ts', source, ts.ScriptTarget.Latest, true));
  return { specifiers, entries };
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node)) return node.importClause?.isTypeOnly ? undefined : text(node.moduleSpecifier);
  if (ts.isExportDeclaration(node)) return node.isTypeOnly ? undefined : text(node.moduleSpecifier);
  if (!ts.isCallExpression(node)) return undefined;
  const { expression, arguments: args } = node;
  const resolves =
    ts.isPropertyAccessExpression(expression) &&
    expression.name.text === 'resolve' &&
    /^(require$|createRequire\()/.test(expression.expression.getText());
  return resolves || expression.kind === ts.SyntaxKind.ImportKeyword ? text(args[0]) : undefined;
}

/** The path in `new URL(path, import.meta.url)` and `join(import.meta.dirname, …paths)`. */
function entryOf(node: ts.Node): string | undefined {
  if (ts.isNewExpression(node) && node.expression.getText() === 'URL') {
    const [path, base] = node.arguments ?? [];
    return base?.getText() === 'import.meta.url' ? pattern(path) : undefined;
  }
  if (!ts.isCallExpression(node) || node.expression.getText() !== 'join') return undefined;
  const [base, ...paths] = node.arguments;
  return base?.getText() === 'import.meta.dirname' ? paths.map((path) => pattern(path) ?? '*').join('/') : undefined;
}

const text = (node: ts.Node | undefined) => (node && ts.isStringLiteralLike(node) ? node.text : undefined);

function pattern(node: ts.Node | undefined): string | undefined {
  if (!node || !ts.isTemplateExpression(node)) return text(node);
  return node.head.text + node.templateSpans.map(({ literal }) => `*${literal.text}`).join('');
}
