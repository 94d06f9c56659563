"""LightGBM on the rows of bench/train.ts: one JSON question per line in, one JSON answer per line out."""

import json
import sys
import time

import lightgbm
import numpy
from sklearn.metrics import roc_auc_score


def matrix(folder, name, rows, features):
    columns = numpy.fromfile(f"{folder}/{name}.columns", dtype="<f4").reshape(features, rows)
    return columns.T, numpy.fromfile(f"{folder}/{name}.target", dtype="u1")


def load(question):
    global train, test, settings, trees
    train = matrix(question["folder"], "train", question["rows"], question["features"])
    test = matrix(question["folder"], "test", question["test_rows"], question["features"])
    params = question["params"]
    trees = params["trees"]
    settings = {
        "objective": "binary",
        "learning_rate": params["learning_rate"],
        "num_leaves": params["max_leaves"],
        "min_data_in_leaf": params["min_rows_per_leaf"],
        "lambda_l2": params["l2"],
        "max_bin": 255,
        "num_threads": 2,
        "verbose": -1,
    }
    return {}


def fit(_):
    started = time.perf_counter()
    dataset = lightgbm.Dataset(train[0], train[1], params=settings)
    booster = lightgbm.train(settings, dataset, num_boost_round=trees)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "auc": roc_auc_score(test[1], booster.predict(test[0]))}


def auc(question):
    return {"auc": roc_auc_score(test[1], numpy.fromfile(question["file"], dtype="<f8"))}


ANSWERS = {"load": load, "train": fit, "auc": auc}
for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(ANSWERS[question["do"]](question)), flush=True)
