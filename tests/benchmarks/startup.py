"""Starting the collector anew after kill -9: a million series registered, 100,000 of them told every 15 s for the last hour.

The hour is recorded as the collector records it (windows, journal, history), at full speed and by a clock of its own; nothing is
closed. Then a real collector starts on it: seconds until it says that it is ready, its memory, what it gives back, and how long
questions for labels take over HTTP.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import numpy as np

from collector.storage.history.store import HistoryStore
from collector.storage.interning import keys_of
from collector.storage.journal import Journal
from collector.storage.recorder import Recorder
from monitor.engine import Engine
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind
from tests.benchmarks.product import cpu_seconds, own_figure, resident_mb
from tests.benchmarks.registry import ACTIVE, SERIES, build, labels_of
from tests.benchmarks.report import report
from tests.running import Collector

SCRAPE, SECONDS = 15, 3600
CONFIG = "series_limit = 200000\nhost = false\n"
ASKED = {
    "labels": "/api/v1/labels",
    "names": "/api/v1/label/__name__/values",
    "pods": "/api/v1/label/pod/values",
    "pods_of_job": "/api/v1/label/pod/values?match[]=" + urllib.parse.quote('{job="job-7"}'),
    "labels_of_job": "/api/v1/labels?match[]=" + urllib.parse.quote('{job="job-7"}'),
    "series_of_host": "/api/v1/series?match[]=" + urllib.parse.quote('{instance="10.0.1.7:9100"}'),
}
REPEATED = 5


def active() -> KeySpace:
    """A tenth of the registered series, gauges and counters in turn."""
    space = KeySpace(raw=True)
    for place in range(ACTIVE):
        number = place * (SERIES // ACTIVE) + place % 2
        (key,) = keys_of([labels_of(number)])
        space.add(key, Kind(number % 2))
    return space


def record(data: Path, begin: int) -> float:
    """An hour of them, one scrape target in fifteen each second; seconds of CPU a million samples."""
    now = float(begin)
    space, engine = active(), Engine()
    store = HistoryStore(data / "history", clock=lambda: now)
    journal, recorder = Journal(data / "journal"), Recorder(engine, store)
    chance = np.random.default_rng(5)
    level = chance.normal(50, 10, ACTIVE).round(2)
    odd = np.arange(ACTIVE) % 2 == 1
    began = time.process_time()
    for second in range(SECONDS):
        ids = np.arange(second % SCRAPE, ACTIVE, SCRAPE, dtype=np.int32)
        level[ids] += chance.normal(0, 1, len(ids)).round(2)
        counted, times = odd[ids], np.full(len(ids), now + 0.5)
        for batch in (
            Batch(space, ids[~counted], level[ids[~counted]], times[~counted], raw=True),
            Batch(space, ids[counted], level[ids[counted]] * 1000, times[counted], raw=True, windowed=False),
            Batch(space, ids[counted], chance.poisson(40, np.count_nonzero(counted)).astype(float), times[counted]),
        ):
            recorder.take(batch)
            if batch.windowed:
                engine.ingest(batch)
        now += 1.0
        frame = engine.tick(now)
        live = tuple(engine.table.added_since(0)[0]) if journal.wants_table(frame.time) else None
        journal.append(frame.delta, live)
        recorder.record(frame)
        store.commit()
        if second % 60 == 59:
            store.step()
    return (time.process_time() - began) / (ACTIVE * SECONDS / SCRAPE) * 1e6


def prepare(data: Path) -> dict[str, float]:
    """A data folder as a killed collector leaves it."""
    (data / "history").mkdir(parents=True)
    built = build(data / "history" / "history.sqlite3")
    # In a process that ends as by kill -9: whatever is held in memory only is lost with it.
    recording = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.startup", "record", str(data), str(int(time.time()) - SECONDS - 60)],
        capture_output=True,
        text=True,
        check=False,
    )
    spent = re.search(r"^cpu (\S+)", recording.stdout)
    if spent is None:
        raise SystemExit(recording.stderr)
    journal = sum(path.stat().st_size for path in (data / "journal").iterdir())
    return {**built, "record_cpu_s_per_million": float(spent[1]), "journal_mb": round(journal / 1e6, 1)}


def start(one: Collector) -> dict[str, float]:
    """Starts it and asks."""
    began = time.perf_counter()
    one.start()
    figures = {"ready_s": round(time.perf_counter() - began, 2), "ready_cpu_s": round(cpu_seconds(one.pid), 2)}
    figures["rss_ready_mb"] = round(resident_mb(one.pid), 1)
    for name, path in ASKED.items():
        taken = []
        for _ in range(1 + REPEATED):
            began = time.perf_counter()
            with urllib.request.urlopen(one.url + path, timeout=30) as answer:
                answer.read()
            taken.append((time.perf_counter() - began) * 1000)
        figures |= {f"{name}_first_ms": round(taken[0], 1), f"{name}_ms": round(sorted(taken[1:])[REPEATED // 2], 1)}
    figures["rss_mb"] = round(resident_mb(one.pid), 1)
    figures["windows_series"] = own_figure(one, "series")
    return figures


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        one = Collector(Path(folder), CONFIG)
        figures = prepare(one.data)
        try:
            figures |= start(one)
        finally:
            one.kill()
    asked = {name: (100.0, None) for name in figures if name.endswith("_ms")}
    report("startup", {"series": SERIES, "active": ACTIVE, **figures}, {"ready_s": (5.0, None), **asked})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print("cpu", round(record(Path(sys.argv[2]), int(sys.argv[3])), 2), flush=True)
        os._exit(0)
    main()
