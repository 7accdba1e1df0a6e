"""Any history gives back, through queries, what was written into it."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from collector.rewind.kept import KeptSamples
from collector.rewind.selected import SelectedPast
from collector.storage.memory_sink import MemorySink
from collector.storage.recorder import Recorder
from monitor.engine import Engine
from tests.collector.rewind.fakes import MemoryKept
from tests.monitor.streams import BEGIN, Step, batch_of, new_space, steps


def told(kept: MemoryKept | SelectedPast, end: int) -> tuple[dict[object, object], dict[object, object]]:
    """Readings and observations by series and time."""
    readings: dict[object, object] = {}
    observed: dict[object, object] = {}
    for part in kept.read(0, end, 0):
        assert isinstance(part, KeptSamples)
        names = [series.labels for series in kept.describe(part.refs)]
        for name, time, value in zip(names, part.times.tolist(), part.values.tolist(), strict=True):
            readings[name, time] = None if np.isnan(value) else value
        names = [series.labels for series in kept.describe(part.hist_refs)]
        for place, (name, time) in enumerate(zip(names, part.hist_times.tolist(), strict=True)):
            cells = slice(part.offsets[place], part.offsets[place + 1])
            counts = zip(part.bins[cells].tolist(), part.counts[cells].tolist(), strict=True)
            observed[name, time] = {number: round(count, 6) for number, count in counts if count}
    return readings, observed


@settings(max_examples=40, deadline=None)
@given(steps(late=False))
def test_what_was_recorded_is_read_back(run: list[Step]) -> None:
    kept, sink, space, now = MemoryKept(), MemorySink(), new_space(), float(BEGIN)
    engine = Engine()
    recorders = (Recorder(engine, kept), Recorder(engine, sink))
    for step in run:
        engine.ingest(batch_of(space, step.samples, now))
        now += step.ahead
        frame = engine.tick(now)
        for recorder in recorders:
            recorder.record(frame)
    end = int(now + 100) * 1000
    past = SelectedPast(sink.history, sink.described, lambda: 0.0)
    assert told(past, end) == told(kept, end)
