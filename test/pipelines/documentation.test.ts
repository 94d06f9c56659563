import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { PipelineDefinition } from '../../pipelines/definition.ts';

const text = readFileSync(new URL('../../docs/pipelines.md', import.meta.url), 'utf8');

function propertyNames(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const properties = 'properties' in schema && !Array.isArray(schema) ? Object.keys(schema.properties as object) : [];
  return [...properties, ...Object.values(schema).flatMap(propertyNames)];
}

test('the example of the guide is a valid definition', () => {
  const examples = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => JSON.parse(json!) as unknown);
  expect(examples).toHaveLength(1);
  expect(PipelineDefinition.safeParse(examples[0]).error).toBeUndefined();
});

test('the guide names every field of a definition', () => {
  const names = new Set(propertyNames(z.toJSONSchema(PipelineDefinition, { io: 'input' })));
  expect(names.size).toBeGreaterThan(40);
  expect([...names].filter((name) => !new RegExp(`[\`"._]${name}\\b|\`${name}`).test(text))).toEqual([]);
});
