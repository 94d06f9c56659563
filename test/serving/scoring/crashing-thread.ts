import { parentPort } from 'node:worker_threads';
import '../../../serving/scoring/rows-thread-worker.ts';
import type { ThreadCall } from '../../../lib/called-thread.ts';
import type { RowsThreadOrder } from '../../../serving/scoring/rows-thread-worker.ts';

// Started by rows-thread.test.ts: a bug that 7 rows bring to light.
parentPort!.on('message', (message: ThreadCall<RowsThreadOrder>) => {
  if (message?.order.does === 'score' && message.order.rows === 7) throw new Error('a bug');
});
