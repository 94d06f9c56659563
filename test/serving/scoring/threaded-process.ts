import { createRowBuffers, layoutOf } from '../../../serving/scoring/row-buffers.ts';
import { createRowsThread } from '../../../serving/scoring/rows-thread.ts';
import { features } from '../../ml/onnx/sample.ts';

// Started by rows-thread.test.ts: closes its thread while that scores, and has nothing more to do then.
const thread = createRowsThread();
const layout = layoutOf(features.inputs);
const session = await thread.open(process.argv[2]!, layout);
const scored = session.probabilities(createRowBuffers(layout, 5000), 5000);
await thread.close();
console.log((await scored).length);
