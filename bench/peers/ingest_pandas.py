"""CSV to split float32 matrices, as bench/ingest-ours.ts does it: read, check, profile, split, encode, save.

usage: ingest_pandas.py <csv> <folder>; prints one JSON line.
"""

import json
import resource
import sys

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import TargetEncoder

NUMERIC = [f"n{i}" for i in range(22)]
CATEGORICAL = [f"c{i}" for i in range(6)]
BOOLEAN = ["b0", "b1"]
FEATURES = [*NUMERIC, *CATEGORICAL, *BOOLEAN]
NULLABLE = {f"n{i}" for i in range(22) if i % 3 == 2}
QUANTILES = [0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1]


def read(path):
    dtype = {name: np.float32 for name in NUMERIC}
    dtype |= {name: "category" for name in [*CATEGORICAL, "target"]}
    dtype |= {name: bool for name in BOOLEAN}
    return pd.read_csv(path, dtype=dtype)


def check(frame):
    assert list(frame.columns) == [*FEATURES, "target"]
    nulls = frame.isna().sum()
    assert all(name in NULLABLE or nulls[name] == 0 for name in frame.columns)
    assert frame[NUMERIC].min().min() >= -1e9 and frame[NUMERIC].max().max() <= 1e9
    assert frame.duplicated().mean() <= 0.01
    assert set(frame["target"].cat.categories) == {"yes", "no"}


def profile(frame):
    numeric = frame[NUMERIC]
    summary = numeric.agg(["count", "mean", "std"]).to_dict()
    quantiles = numeric.quantile(QUANTILES).to_dict()
    histograms = {}
    for name in NUMERIC:
        values = frame[name].to_numpy()
        counts, edges = np.histogram(values[~np.isnan(values)], bins=24)
        histograms[name] = [counts.tolist(), edges.tolist()]
    top = {name: frame[name].value_counts().head(20).to_dict() for name in [*CATEGORICAL, *BOOLEAN]}
    distinct = frame[FEATURES].nunique().to_dict()
    return [summary, quantiles, histograms, top, distinct]


def prepare(frame, folder):
    target = (frame["target"] == "yes").to_numpy(np.uint8)
    train, rest = train_test_split(frame.index, train_size=0.7, stratify=target, random_state=1)
    validation, test = train_test_split(rest, train_size=0.5, stratify=target[rest], random_state=1)
    encoder = TargetEncoder(target_type="binary", cv=StratifiedKFold(5, shuffle=True, random_state=1))
    rows = {}
    for name, index in [("train", train), ("validation", validation), ("test", test)]:
        part = frame.loc[index]
        fit = encoder.fit_transform if name == "train" else lambda x, _: encoder.transform(x)
        codes = fit(part[CATEGORICAL].astype(str), target[index]).astype(np.float32)
        plain = part[[*NUMERIC, *BOOLEAN]].to_numpy(np.float32)
        np.save(f"{folder}/{name}.npy", np.concatenate([plain, codes], axis=1))
        np.save(f"{folder}/{name}-target.npy", target[index])
        rows[name] = len(index)
        if name == "train":
            reference = profile(part)
    return rows, target.sum(), reference


def main():
    path, folder = sys.argv[1:]
    frame = read(path)
    check(frame)
    with open(f"{folder}/profile.json", "w") as file:
        json.dump(profile(frame), file, default=str)
    rows, positives, reference = prepare(frame, folder)
    with open(f"{folder}/reference.json", "w") as file:
        json.dump(reference, file, default=str)
    # Means as the matrices have them, for the comparison of outputs.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    means = {name: float(frame[name].astype(np.float64).mean()) for name in [*NUMERIC, *BOOLEAN]}
    missing = {name: int(frame[name].isna().sum()) for name in NUMERIC}
    print(json.dumps({"rows": rows, "positives": int(positives), "means": means, "missing": missing,
                      "peak_kib": peak}))


main()
