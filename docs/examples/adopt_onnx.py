"""Makes an ONNX classifier with one [N, 1] input per column fit to be brought to Anneal.

usage: adopt_onnx.py MODEL SIGNATURE ADOPTED

MODEL answers the probabilities of both classes, [N, 2], as `probabilities`: skl2onnx writes that with
options={"zipmap": False}. SIGNATURE is JSON; docs/models.md says what is in it. Needs the package onnx.
"""

import json
import sys

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper


def adopt(model, signature):
    model = compose.add_prefix(model, "given/", rename_inputs=False)
    graph = model.graph
    classes, decision = signature["classes"], signature["decision"]
    constants = {
        "adopted/column": np.array(1, np.int64),
        "adopted/threshold": np.array(signature["threshold"], np.float32),
        "adopted/yes": np.array([classes["positive"]], object),
        "adopted/no": np.array([classes["negative"]], object),
        "adopted/act": np.array([decision["positive"]], object),
        "adopted/pass": np.array([decision["negative"]], object),
    }
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    graph.node.extend(
        [
            helper.make_node("Gather", ["given/probabilities", "adopted/column"], ["probability"], axis=1),
            helper.make_node("GreaterOrEqual", ["probability", "adopted/threshold"], ["adopted/positive"]),
            helper.make_node("Where", ["adopted/positive", "adopted/yes", "adopted/no"], ["label"]),
            helper.make_node("Where", ["adopted/positive", "adopted/act", "adopted/pass"], ["decision"]),
        ]
    )
    del graph.output[:]
    types = {"label": TensorProto.STRING, "probability": TensorProto.FLOAT, "decision": TensorProto.STRING}
    graph.output.extend(helper.make_tensor_value_info(name, kind, ["N"]) for name, kind in types.items())
    helper.set_model_props(model, {"signature": json.dumps(signature)})
    onnx.checker.check_model(model)
    return model


def main(model_path, signature_path, adopted_path):
    with open(signature_path, encoding="utf-8") as file:
        signature = json.load(file)
    onnx.save(adopt(onnx.load(model_path), signature), adopted_path)
    print(json.dumps({"saved": adopted_path}))


main(*sys.argv[1:])
