import { text } from 'node:stream/consumers';
import { createCalledThread } from '../../lib/called-thread.ts';

// Opens the model on standard input, in Base64, where the argument says.
const bytes = Buffer.from(await text(process.stdin), 'base64');
if (process.argv[2] === 'thread') {
  const thread = createCalledThread<Uint8Array>({
    script: new URL('opens-model-worker.ts', import.meta.url),
    gone: 'the thread has ended',
  });
  await thread.ask(bytes);
  await thread.close();
} else {
  const { createOnnxSession } = await import('../../lib/onnx-session.ts');
  await (await createOnnxSession(bytes)).release();
}
