"""What trying rules on the past costs: 14 days of 1,000 series, a sample a minute, from memory."""

from __future__ import annotations

import resource
import time

import numpy as np

from monitor.alerting.backtest import backtest
from monitor.alerting.rules import parse_rules
from monitor.query.memory import Bounds, MemoryHistory
from tests.benchmarks.report import report

SERIES, DAYS, STEP = 1000, 14, 60_000
BEGIN = 1_700_006_400_000
TIMES = DAYS * 86_400_000 // STEP
RULES = {
    "threshold": 'metric = "load"\ncondition = { type = "threshold", operator = "gt", value = 90, window = "5m", recovery = 80 }',
    "mean": 'metric = "load"\ncondition = { type = "threshold", operator = "gt", value = 75, window = "15m", field = "mean" }',
    "rate": 'metric = "load"\ncondition = { type = "rate", operator = "gt", value = 200, window = "5m", against = "30m" }',
    "absence": 'metric = "load"\ncondition = { type = "absence", window = "10m" }',
    "promql": 'condition = { type = "promql", expr = "avg_over_time(load[5m]) > 90", every = "1m" }\nfor = "5m"',
}


def past() -> MemoryHistory:
    """Gauges that wander and now and then climb."""
    random = np.random.default_rng(5)
    history = MemoryHistory(Bounds(samples=SERIES * TIMES + 1, age=30 * 86_400_000, late=30 * 86_400_000))
    times = BEGIN + np.arange(TIMES, dtype=np.int64) * STEP
    for row in range(SERIES):
        swing = np.clip(np.cumsum(random.normal(0, 0.7, TIMES)) % 100, 1, 99)
        history.append((("__name__", "load"), ("host", f"web{row:04d}")), times, swing)
    return history


def run() -> dict[str, object]:
    history, figures = past(), dict[str, object]()
    end = (BEGIN + TIMES * STEP) / 1000
    for name, text in RULES.items():
        rule = parse_rules(f'[[rule]]\nid = "{name}"\n{text}\n', "x.toml")[0]
        began, spent = time.perf_counter(), time.process_time()
        found = backtest(rule, history, end - DAYS * 86_400, end)
        figures[f"{name}_s"] = round(time.perf_counter() - began, 2)
        figures[f"{name}_cpu_s"] = round(time.process_time() - spent, 2)
        figures[f"{name}_firings"] = found.firings
    figures["step_s"] = found.step
    figures["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return figures


if __name__ == "__main__":
    report("backtest", run(), {f"{name}_s": (5.0, 2.0) for name in RULES})
