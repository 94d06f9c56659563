#!/usr/bin/env node
// The `anneal` command on whatever Node is there: run.mjs goes on with the project's own.
process.argv.splice(2, 0, 'cli/anneal.ts');
await import('../scripts/run.mjs');
