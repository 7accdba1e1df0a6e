"""The registry of series: a million of them registered, 100,000 active. Opening, label queries, memory; building is timed too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from collector.storage.history.database import open_database, transaction
from collector.storage.history.registry import SeriesRegistry
from monitor.model.matchers import Matcher
from monitor.query.history import Labels
from tests.benchmarks.report import report

SERIES, ACTIVE, STEP = 1_000_000, 100_000, 50_000
REPEATED = 5


def labels_of(number: int) -> Labels:
    """Series as an exporter on many hosts has them: 1,000 metrics, 1,000 instances in 3 zones, 50,000 pods that come and go."""
    host, metric = divmod(number, 1000)
    return (
        ("__name__", f"node.metric_{metric}_total"),
        ("instance", f"10.0.{host // 250}.{host % 250}:9100"),
        ("job", f"job-{metric % 20}"),
        ("mode", ("idle", "user", "system", "iowait")[metric % 4]),
        ("pod", f"pod-{number // 20:05x}"),
        ("zone", f"zone-{host % 3}"),
    )


def build(path: Path) -> dict[str, float]:
    """Registers them all; seconds and bytes that took."""
    connection, _ = open_database(path, "now")
    registry = SeriesRegistry(path)
    began = time.process_time()
    for first in range(0, SERIES, STEP):
        numbers = range(first, first + STEP)
        registry.intern([labels_of(number) for number in numbers], [number % 2 for number in numbers])
        with transaction(connection):
            registry.save(connection)
        registry.saved()
    spent = time.process_time() - began
    registry.close()
    connection.close()
    return {"build_cpu_s": round(spent, 1), "bytes_a_series": round(path.stat().st_size / SERIES, 1)}


def measure(path: Path) -> dict[str, float]:
    """In a process that has done nothing else: what opening, coming back to life and asking take."""
    before = memory()
    began, began_cpu = time.perf_counter(), time.process_time()
    connection, problems = open_database(path, "now")
    registry = SeriesRegistry(path)
    opened, opened_cpu = time.perf_counter() - began, time.process_time() - began_cpu
    assert not problems
    figures = {"open_s": round(opened, 3), "open_cpu_s": round(opened_cpu, 3), "open_mb": round(memory() - before, 1)}
    active = [labels_of(number) for number in range(0, SERIES, SERIES // ACTIVE)]
    kinds = [number % 2 for number in range(0, SERIES, SERIES // ACTIVE)]
    held, began = memory(), time.process_time()
    registry.intern(active, kinds)
    figures["found_again_us"] = round((time.process_time() - began) / ACTIVE * 1e6, 1)
    began = time.process_time()
    registry.intern(active, kinds)
    figures["known_us"] = round((time.process_time() - began) / ACTIVE * 1e6, 2)
    figures["active_mb"] = round(memory() - held, 1)
    figures |= questions(registry)
    figures["rss_mb"] = round(memory(), 1)
    registry.close()
    connection.close()
    return figures


def questions(registry: SeriesRegistry) -> dict[str, float]:
    """Milliseconds of CPU, the first time and the median of the times after it."""
    everything = np.arange(SERIES, dtype=np.int64)
    job = [Matcher("job", "=", "job-7"), Matcher("zone", "!=", "zone-1")]
    asked: dict[str, Callable[[], object]] = {
        "find_name": lambda: registry.find([Matcher("__name__", "=", "node_metric_7_total")]),
        "find_two": lambda: registry.find(job),
        "find_prefix": lambda: registry.find([Matcher("instance", "=~", "10\\.0\\.1.*")]),
        "find_pattern": lambda: registry.find([Matcher("pod", "=~", ".*a[0-9]+f.*")]),
        "find_all": lambda: registry.find([]),
        "label_names": lambda: registry.label_names(everything),
        "label_names_some": lambda: registry.label_names(registry.find(job)),
        "label_values_names": lambda: registry.label_values("__name__", everything),
        "label_values_pods": lambda: registry.label_values("pod", everything),
        "label_values_some": lambda: registry.label_values("pod", registry.find(job)),
        "labels_of_1000": lambda: registry.labels(registry.find([Matcher("__name__", "=", "node.metric_9_total")])),
    }
    figures: dict[str, float] = {}
    for name, ask in asked.items():
        spent = []
        for _ in range(1 + REPEATED):
            began = time.process_time()
            ask()
            spent.append(time.process_time() - began)
        figures[f"{name}_first_ms"] = round(spent[0] * 1e3, 1)
        figures[f"{name}_ms"] = round(float(np.median(spent[1:])) * 1e3, 1)
    return figures


def memory() -> float:
    """MB that this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.sqlite3"
        built = build(path)
        command = [sys.executable, "-m", "tests.benchmarks.registry", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures = {"series": SERIES, "active": ACTIVE, **built, **json.loads(done.stdout)}
    asked = {name: (100.0, None) for name in figures if name.endswith("_ms")}
    report("registry", figures, {"open_s": (5, 0.2), **asked})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]))))
    else:
        main()
