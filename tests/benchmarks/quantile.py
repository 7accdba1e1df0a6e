"""How far quantiles are from exact: a million lognormal, bimodal and Pareto values through the engine, against numpy."""

from __future__ import annotations

import time

import numpy as np

from monitor.engine import Engine
from monitor.model.batch import Batch, Floats
from monitor.model.series import KeySpace, Kind, series_key
from tests.benchmarks.report import report

SIZE, SECONDS, BEGIN = 1_000_000, 50, 1_700_000_000
FRACTIONS = (0.5, 0.9, 0.95, 0.99, 0.999, 0.9999)


def distributions() -> dict[str, Floats]:
    """The three, each of `SIZE` values."""
    random = np.random.default_rng(42)
    modes = np.concatenate((random.normal(20, 2, SIZE // 2), random.normal(800, 40, SIZE // 2)))
    return {
        "lognormal": np.exp(random.normal(3, 1.5, SIZE)),
        "bimodal": random.permutation(np.abs(modes)),
        "pareto": 1 + random.pareto(1.1, SIZE),
    }


def errors(values: Floats) -> tuple[float, float]:
    """The greatest relative error in percent, and the CPU seconds that the values cost from ingest to windows."""
    space, engine, spent = KeySpace(), Engine(), 0.0
    space.add(series_key("latency"), Kind.DISTRIBUTION)
    for second, some in enumerate(np.split(values, SECONDS)):
        batch = Batch(space, np.zeros(len(some), np.int32), some, np.full(len(some), BEGIN + second + 0.5))
        began = time.process_time()
        engine.ingest(batch)
        engine.tick(BEGIN + second + 1)
        engine.column("p99", 60)
        spent += time.process_time() - began
    exact = np.quantile(values, FRACTIONS, method="inverted_cdf")
    got = np.array([float(engine.column(f"p{fraction * 100:.10g}", 60)[0]) for fraction in FRACTIONS])
    return float(np.max(np.abs(got / exact - 1))) * 100, spent


def run() -> dict[str, object]:
    results = {name: errors(values) for name, values in distributions().items()}
    return {
        "values": SIZE,
        "worst_percent": round(max(error for error, _ in results.values()), 3),
        **{f"{name}_percent": round(error, 3) for name, (error, _) in results.items()},
        "cpu_s_per_million": round(max(spent for _, spent in results.values()), 3),
    }


if __name__ == "__main__":
    report("quantile", run(), {"worst_percent": (1.0, 0.55)})
