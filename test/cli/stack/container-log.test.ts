import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dockerLine, openContainerLog, printedLine } from '../../../cli/stack/container-log.ts';
import { temporaryFolder } from '../../platform.ts';

test('a line is written as the Docker driver json-file writes it, and read back', () => {
  const line = dockerLine('{"level":"info"}', 'api', new Date('2026-11-22T03:00:00Z'));
  expect(line).toBe(
    '{"log":"{\\"level\\":\\"info\\"}\\n","stream":"stdout","attrs":{"com.docker.compose.service":"api"},"time":"2026-11-22T03:00:00.000Z"}\n',
  );
  expect(printedLine(line)).toBe('{"level":"info"}');
});

test.runIf(process.platform === 'linux')(
  'both outputs of a program, and what it writes to /dev/stdout, are in the file',
  async () => {
    const folder = await temporaryFolder('log');
    try {
      const file = join(folder.path, 'logs', 'x-json.log');
      const seen: string[] = [];
      const onLine = (line: string) => void seen.push(line);
      const log = await openContainerLog({ service: 'x', file, pipe: join(folder.path, 'pipe'), onLine });
      const output = openSync(log.pipe, 'a');
      const script = 'echo one; echo two >&2; echo three > /dev/stdout; printf four';
      const program = spawn('sh', ['-c', script], { stdio: ['ignore', output, output] });
      await once(program, 'exit');
      closeSync(output);
      await log.close();
      const printed = readFileSync(file, 'utf8').trimEnd().split('\n').map(printedLine);
      expect(printed).toEqual(['one', 'two', 'three', 'four']);
      expect(seen).toEqual(printed);
    } finally {
      await folder.remove();
    }
  },
);

test.runIf(process.platform === 'linux')(
  'what was printed before the end is in the file, also when this process stood still meanwhile',
  async () => {
    const folder = await temporaryFolder('log');
    try {
      const file = join(folder.path, 'logs', 'x-json.log');
      const log = await openContainerLog({ service: 'x', file, pipe: join(folder.path, 'pipe'), onLine: () => {} });
      const output = openSync(log.pipe, 'a'); // stays open: as of a descendant
      writeSync(output, 'goes\n');
      const closed = log.close();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
      await closed;
      closeSync(output);
      expect(readFileSync(file, 'utf8').trimEnd().split('\n').map(printedLine)).toEqual(['goes']);
    } finally {
      await folder.remove();
    }
  },
);
