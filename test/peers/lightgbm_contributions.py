"""Trains LightGBM on made-up rows with missing values and explains rows with its own TreeSHAP (pred_contrib).

Prints {"trees": [...], "rows": [[...]], "contributions": [[..., base value]]} as JSON; trees in the form of ml/model.ts.
"""

import json
import sys

import lightgbm
import numpy as np

COLUMNS = 12
EXPLAINED = 500


def made_up(count, random):
    rows = random.normal(size=(count, COLUMNS)).astype(np.float32)
    rows[:, 1] = np.round(rows[:, 1])
    risk = rows[:, 0] * rows[:, 1] + rows[:, 2] ** 2 - rows[:, 3] + random.normal(size=count)
    rows[random.random(rows.shape) < 0.15] = np.nan
    return rows, (np.where(np.isnan(risk), 0, risk) > 0.5).astype(int)


def float32_at_most(threshold):
    """The same cut for float32 values."""
    rounded = np.float32(threshold)
    return float(rounded if rounded <= threshold else np.nextafter(rounded, np.float32(-np.inf)))


def tree_of(structure):
    tree = {name: [] for name in ("feature", "threshold", "left", "right", "missing_left", "value", "cover")}

    def add(node):
        index = len(tree["feature"])
        leaf = "leaf_value" in node
        assert leaf or (node["decision_type"], node["missing_type"]) == ("<=", "NaN"), node
        tree["feature"].append(-1 if leaf else node["split_feature"])
        tree["threshold"].append(0 if leaf else float32_at_most(node["threshold"]))
        tree["missing_left"].append(0 if leaf else int(node["default_left"]))
        tree["value"].append(node["leaf_value"] if leaf else 0)
        tree["cover"].append(node["leaf_count"] if leaf else node["internal_count"])
        tree["left"].append(-1)
        tree["right"].append(-1)
        if not leaf:
            tree["left"][index] = add(node["left_child"])
            tree["right"][index] = add(node["right_child"])
        return index

    add(structure)
    return tree


def main():
    random = np.random.default_rng(7)
    rows, target = made_up(20_000, random)
    settings = {"objective": "binary", "num_leaves": 31, "min_data_in_leaf": 5, "num_threads": 1, "verbose": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, target), num_boost_round=60)
    explained = rows[:EXPLAINED]
    contributions = booster.predict(explained, pred_contrib=True)
    answer = {
        "trees": [tree_of(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"]],
        "rows": [[None if np.isnan(x) else float(x) for x in row] for row in explained],
        "contributions": contributions.tolist(),
    }
    json.dump(answer, sys.stdout)


main()
