"""usage: save_model.py <file.onnx> <folder>: an MLflow model with the ONNX flavour, as `mlflow models serve` takes it."""

import sys

import mlflow.onnx
import numpy as np
import onnx
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

file, folder = sys.argv[1:]
numbers = [TensorSpec(np.dtype("float32"), (-1, 1), f"x{i}") for i in range(17)]
texts = [TensorSpec(np.dtype("str"), (-1, 1), f"c{i}") for i in range(3)]
mlflow.onnx.save_model(
    onnx.load(file),
    folder,
    signature=ModelSignature(inputs=Schema(numbers + texts)),
    pip_requirements=[],  # served where it is saved; else it loads the model once more to find them
    onnx_session_options={"intra_op_num_threads": 1},
)
