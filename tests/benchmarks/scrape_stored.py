"""What a scrape costs from text to the history and the windows, in CPU seconds per million samples, part by part.

One target with fixed series, scraped again and again without relabelling: parsed, put into batches, recorded and committed, and
taken by the windows with a tick each. What the history does in the background when it falls due is counted too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from collector.receivers.prometheus.exposition_parser import ExpositionParser
from collector.receivers.prometheus.series import ScrapeCounters, TargetSeries
from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from collector.storage.recorder import Recorder
from monitor.engine import Engine
from monitor.model.batch import HistogramBatch
from tests.benchmarks.report import Bars, report
from tests.benchmarks.scrape import expositions

BARS: Bars = {"cpu_s_per_million": (1.5, None)}
INTERVAL = 15.0


def stored(folder: Path, series: int, scrapes: int) -> dict[str, float]:
    """CPU seconds per million samples by part, the first scrape, which brings the series, left out."""
    bodies = expositions(series, 4)
    parser = ExpositionParser(openmetrics=False)
    target = TargetSeries({"job": "bench", "instance": "localhost:1"}, False, ScrapeCounters())
    now = 1_700_000_000.0
    store = HistoryStore(folder, HistorySettings(quiet=0.0), clock=lambda: now)
    engine = Engine()
    recorder = Recorder(engine, store)
    spent: dict[str, float] = defaultdict(float)
    samples = 0
    for number in range(scrapes + 1):
        if number == 1:
            spent.clear()
            samples = 0
        now += INTERVAL
        began = time.process_time()

        def part(name: str) -> None:
            nonlocal began
            ended = time.process_time()
            spent[name] += ended - began
            began = ended

        found = parser.parse(bodies[number % len(bodies)])
        part("parse")
        batches = target.taken(found, parser, now - 1.0, 0.0)
        part("batches")
        for batch in batches:
            if isinstance(batch, HistogramBatch):
                recorder.take_histograms(batch)
            else:
                recorder.take(batch)
        store.commit()
        part("history")
        for batch in batches:
            if not isinstance(batch, HistogramBatch) and batch.windowed:
                engine.ingest(batch)
        frame = engine.tick(now)
        if frame is not None:
            recorder.record(frame)
        part("windows")
        if number % 60 == 59:
            store.fold()
            store.step()
            part("background")
        samples += len(found.values)
    store.close()
    return {name: seconds / samples * 1e6 for name, seconds in spent.items()}


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--scrapes", type=int, default=120)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        parts = stored(Path(folder), arguments.series, arguments.scrapes)
    figures = {"series": float(arguments.series), "cpu_s_per_million": round(sum(parts.values()), 3)}
    report("scrape_stored", figures | {name: round(value, 3) for name, value in parts.items()}, BARS)


if __name__ == "__main__":
    main()
