"""What PromQL costs beyond the store: 1,000 host-like series that share their times, 24 h at 15 s (5.76 M samples), from memory.

The queries are those of the store's benchmark, and rates and windows over the same data. CPU milliseconds, medians; the history
hands out views, so what is measured is the evaluator.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np

from monitor.model.matchers import Matcher
from monitor.query.evaluator import Evaluator
from monitor.query.history import Block, Hints, Labels, Metadata, Millis, Selected, Values
from tests.benchmarks.report import report

SERIES, STEP, HOURS = 1000, 15_000, 24
TIMES = HOURS * 3_600_000 // STEP
BEGIN = 1_700_006_400_000
HOUR = 3_600_000


def host_like() -> tuple[tuple[Labels, ...], Values]:
    """Labels and values of counters, gauges, byte counts and constants, as a host has them."""
    random = np.random.default_rng(11)
    values, labels = np.empty((SERIES, TIMES)), []
    for row in range(SERIES):
        kind = row % 10
        if kind < 4:
            name, values[row] = "counter", np.cumsum(random.poisson(random.lognormal(2, 1.5), TIMES))
        elif kind < 6:
            swing = np.cumsum(random.normal(0, 0.6, TIMES)) * 0.5 + 8 * np.sin(np.arange(TIMES) / 900)
            name, values[row] = "gauge2", np.round(np.clip(50 + swing, 0, 1e3), 2)
        elif kind == 6:
            name, values[row] = "cpusec", np.cumsum(np.round(random.gamma(2, 0.75, TIMES), 2))
        elif kind == 7:
            pages = random.integers(100_000, 4_000_000) + np.cumsum(random.integers(-300, 300, TIMES))
            name, values[row] = "bytes", pages * 4096.0
        else:
            name, values[row] = "slow", np.repeat(random.integers(0, 40, TIMES // 20 + 1), 20)[:TIMES]
        labels.append((("__name__", "host_metric"), ("host", f"web{row // 100:02d}"), ("id", str(row)), ("kind", name)))
    return tuple(labels), values


class Views:
    """A history of one block that hands out views of it. Implements `History`."""

    def __init__(self, labels: tuple[Labels, ...], values: Values) -> None:
        self._labels, self._values = labels, values
        self._times: Millis = BEGIN + np.arange(TIMES, dtype=np.int64) * STEP
        self._rows = {labels: row for row, labels in enumerate(labels)}

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """See `History`."""
        first, last = np.searchsorted(self._times, (start, end + 1)).tolist()
        wanted = [matcher for matcher in matchers if matcher.name == "id"]
        rows = slice(None) if not wanted else slice(int(wanted[0].value), int(wanted[0].value) + 1)
        return Selected((Block(self._labels[rows], self._times[first:last], self._values[rows, first:last]),))

    def series(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[Labels]:
        """See `History`."""
        return list(self._labels)

    def label_names(self, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        return ["__name__", "host", "id", "kind"]

    def label_values(self, name: str, matchers: Sequence[Matcher], start: int, end: int, limit: int = 0) -> list[str]:
        """See `History`."""
        return []

    def metadata(self) -> dict[str, Metadata]:
        """See `History`."""
        return {}


def median_ms(work: Callable[[], object], times: int = 9) -> float:
    """Milliseconds of CPU time, the first run left out."""
    work()
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append((time.process_time() - began) * 1000)
    return round(statistics.median(spent), 2)


def run() -> dict[str, object]:
    evaluator = Evaluator(Views(*host_like()))
    end = BEGIN + (TIMES - 1) * STEP
    day, hour = (end - 24 * HOUR + 60_000, end, 60_000), (end - HOUR, end, 15_000)

    def measured(text: str, span: tuple[int, int, int], times: int = 9) -> float:
        return median_ms(lambda: evaluator.range(text, *span), times)

    return {
        "one_1h_ms": measured('host_metric{id="123"}', hour),
        "one_24h_ms": measured('host_metric{id="123"}', day),
        "sum_1h_ms": measured("sum by (kind) (host_metric)", hour),
        "sum_24h_ms": measured("sum by (kind) (host_metric)", day),
        "rate_24h_ms": measured("rate(host_metric[5m])", day, 5),
        "sum_rate_24h_ms": measured("sum by (kind) (rate(host_metric[5m]))", day, 5),
        "avg_over_24h_ms": measured("avg_over_time(host_metric[1h])", day, 5),
        "max_over_24h_ms": measured("max_over_time(host_metric[1h])", day, 5),
        "topk_24h_ms": measured("topk(5, host_metric)", day, 5),
        "ratio_24h_ms": measured("host_metric / on (id) group_left host_metric", day, 5),
        "instant_ms": median_ms(lambda: evaluator.instant("sum by (kind) (rate(host_metric[5m]))", end)),
    }


if __name__ == "__main__":
    report("promql", run(), {"sum_1h_ms": (None, 8), "sum_24h_ms": (60, 30)})
