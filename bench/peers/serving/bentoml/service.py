"""BentoML with adaptive batching (docs.bentoml.com/en/latest/get-started/adaptive-batching.html) on onnxruntime.

A batchable endpoint takes and answers lists; concurrent calls are joined to one call of the method.
"""

import os

import bentoml
import numpy as np
import onnxruntime
from pydantic import BaseModel

NUMBERS = [f"x{i}" for i in range(17)]
TEXTS = [f"c{i}" for i in range(3)]


class Row(BaseModel):
    x0: float | None
    x1: float | None
    x2: float | None
    x3: float | None
    x4: float | None
    x5: float | None
    x6: float | None
    x7: float | None
    x8: float | None
    x9: float | None
    x10: float | None
    x11: float | None
    x12: float | None
    x13: float | None
    x14: float | None
    x15: float | None
    x16: float | None
    c0: str | None
    c1: str | None
    c2: str | None


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Scorer:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        path = os.environ["BENCH_MODEL"]
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    @bentoml.api(batchable=True, max_batch_size=1000, max_latency_ms=1000)
    def predict(self, rows: list[Row]) -> list[float]:
        values = [row.__dict__ for row in rows]
        feed = {name: np.array([[row[name]] for row in values], np.float32) for name in NUMBERS}
        for name in TEXTS:
            feed[name] = np.array([[row[name] or ""] for row in values], object)
        return self.session.run(["probability"], feed)[0].tolist()
