"""The drift of 30 columns by Evidently's DataDriftPreset, as bench/drift-ours.ts finds it.

usage: drift_evidently.py <folder>; prints one JSON line.
"""

import json
import resource
import sys
import time
import warnings

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")
NUMERIC = [f"n{i}" for i in range(22)]
CATEGORICAL = [*(f"c{i}" for i in range(6)), "b0", "b1"]
METHODS = {"Wasserstein distance (normed)": "wasserstein", "Jensen-Shannon distance": "jensen_shannon"}


def dataset(path):
    definition = DataDefinition(numerical_columns=NUMERIC, categorical_columns=CATEGORICAL)
    return Dataset.from_pandas(pd.read_parquet(path), data_definition=definition)


def main():
    folder = sys.argv[1]
    started = time.perf_counter()
    reference, current = (dataset(f"{folder}/{name}.parquet") for name in ["reference", "current"])
    found = Report([DataDriftPreset()]).run(current, reference).dict()["metrics"]
    columns = []
    for metric in found:
        config = metric["config"]
        if not config["type"].endswith(":ValueDrift"):
            continue
        score = float(metric["value"])
        columns.append({"column": config["column"], "method": METHODS[config["method"]], "score": score,
                        "drifted": score >= config["threshold"]})
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"columns": columns, "seconds": seconds, "peak_kib": peak}))


main()
