"""Asks a server of the Open Inference Protocol V2 what tritonclient can ask.

usage: infer_with_tritonclient.py HOST:PORT MODEL TOKEN ROWS    ROWS is a JSON list of objects; null is missing
Prints what was answered, as JSON.
"""

import json
import sys

import numpy as np
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

MISSING = {"FP32": np.nan, "FP64": np.nan, "BYTES": "", "INT64": np.iinfo(np.int64).min}
OUTPUTS = ["probability", "label", "decision", "prediction_id"]


def column_type(datatype, values, binary):
    # Neither numpy nor JSON has a missing boolean or integer of this type.
    if None in values and datatype == "BOOL":
        return "FP32"
    if None in values and datatype == "INT64" and not binary:
        return "FP64"
    return datatype


def tensor(spec, values, binary):
    datatype = column_type(spec["datatype"], values, binary)
    column = [MISSING[datatype] if value is None else value for value in values]
    array = np.array(column, dtype=triton_to_np_dtype(datatype)).reshape(-1, 1)
    sent = InferInput(spec["name"], array.shape, datatype)
    return sent.set_data_from_numpy(array, binary_data=binary)


def plain(array):
    return [value.decode() if isinstance(value, bytes) else value for value in array.tolist()]


def main(url, model, token, rows_path):
    with open(rows_path, encoding="utf-8") as file:
        rows = json.load(file)
    client = InferenceServerClient(url)
    headers = {"Authorization": f"Bearer {token}"}
    metadata = client.get_model_metadata(model, headers=headers)

    def inputs(is_binary):
        specs = metadata["inputs"]
        return [
            tensor(spec, [row[spec["name"]] for row in rows], is_binary(index)) for index, spec in enumerate(specs)
        ]

    def infer(is_binary, outputs, **options):
        result = client.infer(model, inputs(is_binary), outputs=outputs, headers=dict(headers), **options)
        answer = {name: plain(result.as_numpy(name)) for name in OUTPUTS if result.get_output(name) is not None}
        response = result.get_response()
        return {**answer, "response": {key: response.get(key) for key in ("id", "model_name", "model_version")}}

    def requested(binary, names=OUTPUTS):
        return [InferRequestedOutput(name, binary_data=binary) for name in names]

    def refusal(ask):
        try:
            ask()
        except InferenceServerException as error:
            return [error.status(), error.message()]
        raise RuntimeError("it was not refused")

    def one(name, datatype, array):
        sent = InferInput(name, array.shape, datatype).set_data_from_numpy(array)
        return lambda: client.infer(model, [sent], headers=dict(headers))

    answers = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model_ready": client.is_model_ready(model, headers=headers),
        "version_ready": client.is_model_ready(model, "3", headers=headers),
        "other_version_ready": client.is_model_ready(model, "2", headers=headers),
        "other_model_ready": client.is_model_ready("nobody", headers=headers),
        "server": client.get_server_metadata(),
        "model": metadata,
        "binary": infer(lambda index: True, requested(True)),
        "json": infer(lambda index: False, requested(False), request_id="mine"),
        "mixed": infer(lambda index: index % 2 == 0, None, model_version="3"),
        "one_output": infer(lambda index: True, requested(True, ["decision"])),
        "refused": {
            "token": refusal(lambda: client.get_model_metadata(model)),
            "model": refusal(lambda: client.get_model_metadata("nobody", headers=headers)),
            "version": refusal(lambda: infer(lambda index: True, None, model_version="2")),
            "feature": refusal(one("colour", "FP32", np.zeros((1, 1), np.float32))),
            "datatype": refusal(one("charges", "BOOL", np.zeros((1, 1), bool))),
            "value": refusal(one("charges", "FP32", np.array([[1], [np.inf]], np.float32))),
            "config": refusal(lambda: client.get_model_config(model, headers=headers)),
            "classes": refusal(
                lambda: infer(lambda index: True, [InferRequestedOutput("label", class_count=2)]),
            ),
        },
    }
    json.dump(answers, sys.stdout)


main(*sys.argv[1:])
