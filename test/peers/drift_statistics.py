"""Evidently's and scipy's values for pairs of samples, with the samples, as JSON.

Usage: drift_statistics.py small|large
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import numpy as np
import pandas as pd
from evidently.legacy.calculations import stattests
from evidently.legacy.calculations.stattests.tvd_stattest import _total_variation_distance
from evidently.legacy.core import ColumnType

METHODS = {
    "ks": stattests.ks_stat_test,
    "wasserstein": stattests.wasserstein_stat_test,
    "jensen_shannon": stattests.jensenshannon_stat_test,
    "psi": stattests.psi_stat_test,
    "hellinger": stattests.hellinger_stat_test,
    "kullback_leibler": stattests.kl_div_stat_test,
    "chi_squared": stattests.chi_stat_test,
    "z_test": stattests.z_stat_test,
}
NAMES = {test.name: name for name, test in METHODS.items()}
rng = np.random.default_rng(20261121)


def small():
    normal = lambda n, shift=0.0: rng.normal(shift, 1, n).round(3)
    yield "one value each", [1.5], [1.5]
    yield "one value each, different", [1.5], [2.5]
    yield "two against three", [1.0, 2.0], [1.5, 2.5, 3.5]
    yield "normal", normal(40), normal(35)
    yield "shifted", normal(40), normal(40, 0.7)
    yield "identical", *([np.arange(30) / 7] * 2)
    yield "many ties", rng.integers(0, 12, 50), rng.integers(0, 9, 33)
    yield "nothing in common", normal(30), normal(25, 50)
    yield "constant", [3.25] * 20, [3.25] * 30
    yield "two constants", [3.25] * 20, [4.0] * 30
    yield "constant reference", [0.0] * 20, normal(30)
    yield "two numbers", rng.integers(0, 2, 30), rng.integers(0, 2, 40)
    yield "four numbers", rng.integers(0, 4, 30), rng.integers(1, 5, 40)
    yield "missing and infinite", [*normal(25), None, float("inf"), None], [None, *normal(30), -float("inf")]
    yield "heavy tail", rng.standard_cauchy(45).round(3), rng.standard_cauchy(31).round(3)
    yield "one category", ["a"] * 10, ["a"] * 12
    yield "two categories", rng.choice(["no", "yes"], 40), rng.choice(["no", "yes"], 30, p=[0.3, 0.7])
    yield "five categories", rng.choice(list("abcde"), 60), rng.choice(list("abcde"), 45)
    yield "new category", rng.choice(list("abc"), 40), rng.choice(list("abcd"), 40)
    yield "vanished category", rng.choice(list("abcd"), 40), rng.choice(list("abc"), 40)
    yield "missing categories", [None, *rng.choice(list("ab"), 30)], [*rng.choice(list("ab"), 20), None, None]


def large():
    normal = lambda n, shift=0.0: rng.normal(shift, 1, n).round(6)
    for m, n in [(1000, 1000), (1000, 999), (800, 9000), (1001, 400), (10001, 2), (10001, 150), (20000, 1000), (60000, 50000)]:
        for shift in [0, 0.05, 0.3]:
            yield f"normal {m} {n} {shift}", normal(m), normal(n, shift)
    yield "log-normal", np.exp(2 * normal(20000)), np.exp(2 * normal(20000, 0.1))
    yield "rounded", normal(5000).round(1), normal(5000, 0.1).round(1)
    yield "large offset", 1e6 + normal(3000), 1e6 + normal(2000, 0.1)
    yield "tiny numbers", 1e-12 * normal(3000), 1e-12 * normal(2000, 0.1)
    yield "two numbers, large", rng.integers(0, 2, 5000), (rng.random(1000) < 0.45).astype(int)
    yield "two numbers, 900", rng.integers(0, 2, 900), (rng.random(800) < 0.45).astype(int)
    yield "18 numbers", rng.integers(0, 18, 30000), rng.integers(0, 19, 30000)
    yield "300 categories", rng.integers(0, 300, 20000).astype(str), rng.integers(0, 300, 5000).astype(str)
    yield "rare categories", rng.zipf(1.6, 30000).clip(0, 5000).astype(str), rng.zipf(1.6, 3000).clip(0, 5000).astype(str)


def compare(name, reference, current):
    given = [[v.item() if hasattr(v, "item") else v for v in sample] for sample in (reference, current)]
    numeric = not any(isinstance(value, str) for value in given[0])
    kind = ColumnType.Numerical if numeric else ColumnType.Categorical
    dtype = float if numeric else object
    # As get_one_column_drift cleans its columns.
    samples = [pd.Series(s, dtype=dtype).replace([-np.inf, np.inf], np.nan).dropna().reset_index(drop=True) for s in given]
    few = samples[0].nunique() <= 20
    scores = {}
    for method, test in METHODS.items():
        if not numeric and method in ("ks", "wasserstein"):
            continue
        if numeric and method == "chi_squared" and not few:
            continue
        scores[method] = float(test.func(samples[0].copy(), samples[1].copy(), kind, 0.05)[0])
    if few or not numeric:
        scores["total_variation"] = float(_total_variation_distance(*samples))
    chosen = stattests.get_stattest(*samples, kind, None)
    return {
        "name": name,
        "type": "numeric" if numeric else "categorical",
        "reference": [portable(value) for value in given[0]],
        "current": [portable(value) for value in given[1]],
        "scores": {method: None if np.isnan(score) else score for method, score in scores.items()},
        "chosen": NAMES[chosen.name],
        "threshold": chosen.default_threshold,
    }


def portable(value):
    return "Infinity" if value == float("inf") else "-Infinity" if value == -float("inf") else value


cases = {"small": small, "large": large}[sys.argv[1]]
json.dump([compare(*case) for case in cases()], sys.stdout)
