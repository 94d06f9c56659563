"""Checks an ONNX file and scores raw rows with Python's onnxruntime.

usage: score_onnx.py MODEL ROWS    ROWS is a JSON list of objects; null is missing
Prints {"label": [...], "probability": [...], "decision": [...], "metadata": {...}} as JSON.
"""

import json
import sys

import numpy as np
import onnx
import onnxruntime

MISSING = {
    "tensor(float)": (np.float32, np.nan),
    "tensor(string)": (object, ""),
    "tensor(int64)": (np.int64, np.iinfo(np.int64).min),
}


def feed(model_input, rows):
    dtype, missing = MISSING[model_input.type]
    values = [row[model_input.name] for row in rows]
    column = [missing if value is None else value for value in values]
    return np.array(column, dtype=dtype).reshape(-1, 1)


def main(model_path, rows_path):
    model = onnx.load(model_path)
    onnx.checker.check_model(model, full_check=True)
    with open(rows_path, encoding="utf-8") as file:
        rows = json.load(file)
    session = onnxruntime.InferenceSession(model_path, providers=["CPUExecutionProvider"])
    feeds = {model_input.name: feed(model_input, rows) for model_input in session.get_inputs()}
    names = [output.name for output in session.get_outputs()]
    answers = {name: values.tolist() for name, values in zip(names, session.run(names, feeds))}
    answers["metadata"] = {entry.key: entry.value for entry in model.metadata_props}
    json.dump(answers, sys.stdout)


main(*sys.argv[1:])
