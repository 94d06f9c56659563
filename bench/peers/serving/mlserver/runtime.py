"""MLServer with a custom runtime (docs.seldon.ai/mlserver/runtimes/custom) on onnxruntime."""

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput
from mlserver.utils import get_model_uri


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = await get_model_uri(self.settings)
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        feed = {tensor.name: decoded(tensor) for tensor in payload.inputs}
        probability = self.session.run(["probability"], feed)[0]
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("probability", probability)])


def decoded(tensor: RequestInput) -> np.ndarray:
    if tensor.datatype != "BYTES":
        return NumpyCodec.decode_input(tensor)
    return np.array(StringCodec.decode_input(tensor), object).reshape(tensor.shape)
