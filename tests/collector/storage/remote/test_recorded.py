"""What the recorder writes arrives at a receiver as a history beside it has it: every sample, every histogram, every end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from collector.protobuf.write import decode_write_v2
from collector.storage.memory_sink import MemorySink
from collector.storage.recorder import Recorder
from collector.storage.remote.batch import Batch, Batches
from collector.storage.remote.both import BothSinks
from collector.storage.remote.target import RemoteTarget
from collector.storage.remote.writer import RemoteWriter
from monitor.engine import Engine, EngineSettings
from monitor.model.matchers import Matcher
from monitor.query.histogram import Histogram
from monitor.query.history import STALE_BITS, Hints, Labels
from monitor.query.memory import Bounds, MemoryHistory
from tests.monitor.streams import BEGIN, Step, batch_of, new_space, steps

Told = dict[tuple[Labels, int], object]
LONG = 1 << 40


def value_of(value: float) -> object:
    return "stale" if np.array([value]).view(np.uint64)[0] == STALE_BITS else value


def histogram_facts(histogram: Histogram) -> object:
    buckets = [(round(bucket.upper, 12), bucket.count) for bucket in histogram.buckets()]
    return histogram.count, pytest.approx(histogram.sum), buckets


def kept_in(history: MemoryHistory) -> Told:
    found: Told = {}
    for block in history.select([Matcher("__name__", "!=", "")], 0, LONG * 1000, Hints()).blocks:
        for row, labels in enumerate(block.labels):
            for column, time in enumerate(block.times.tolist()):
                cell = block.histograms[row, column] if block.histograms is not None else None
                value = value_of(float(block.values[row, column])) if cell is None else histogram_facts(cell)
                found[labels, time] = value
    return found


def receive(batches: Batches, batch: Batch, into: Told) -> None:
    for part in batch.parts:
        columns = decode_write_v2(batches.encoded(part, "2.0")[0])
        for place, labels in enumerate(columns.labels):
            for row in range(int(columns.offsets[place]), int(columns.offsets[place + 1])):
                cell = columns.histograms[row] if columns.histograms is not None else None
                value = value_of(float(columns.values[row])) if cell is None else histogram_facts(cell)
                into[labels, int(columns.times[row])] = value


@settings(max_examples=60, deadline=None)
@given(steps())
def test_a_receiver_gets_what_a_history_here_has(tmp_path_factory: pytest.TempPathFactory, run: list[Step]) -> None:
    folder: Path = tmp_path_factory.mktemp("queue")
    near = MemorySink(Bounds(age=LONG, late=LONG))
    far = RemoteWriter(folder, RemoteTarget("http://127.0.0.1:1/w", "http://127.0.0.1:1"), clock=lambda: 0.0)
    both, batches = BothSinks(near, far), Batches(far._queue, "underscores")
    found: Told = {}
    engine = Engine(EngineSettings(idle_expiry=1000.0))
    recorder, space, now = Recorder(engine, both), new_space(), float(BEGIN)
    for place, step in enumerate([*run, Step((), 15.0)]):
        engine.ingest(batch_of(space, step.samples, now))
        now += step.ahead
        recorder.record(engine.tick(now))
        assert both.commit()
        if place % 3 == 2 and (batch := batches.take(5)) is not None:
            receive(batches, batch, found)
            far._queue.sent(batch.position)
    while (batch := batches.take(50)) is not None:
        receive(batches, batch, found)
        far._queue.sent(batch.position)
    assert far._queue.unsent == 0
    assert found == kept_in(near.history)
