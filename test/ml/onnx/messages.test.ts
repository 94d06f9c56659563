import { readFile } from 'node:fs/promises';
import protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import descriptor from '../../../ml/onnx/onnx-ml.json' with { type: 'json' };

test('the descriptor is what the vendored onnx-ml.proto says', async () => {
  const proto = await readFile(new URL('../../../ml/onnx/onnx-ml.proto', import.meta.url), 'utf8');
  expect(protobuf.parse(proto).root.toJSON()).toEqual(descriptor);
});
