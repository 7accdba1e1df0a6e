"""Whatever numbers come in, the engine neither raises nor warns, and what it keeps stays bounded."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.engine import Derived, Engine, EngineSettings
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.windows.frame import FIELDS

BEGIN = 1_700_000_000

any_float = st.floats() | st.sampled_from([math.inf, -math.inf, math.nan, 1.7e308, -1.7e308, 5e-324, -0.0, 1e300])
near = st.floats(-100, 20) | st.floats() | st.sampled_from([1e18, -1e18, 9.3e18])
sample = st.tuples(st.integers(-2, 9), any_float, near, any_float | st.just(1.0), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.lists(sample, max_size=8), st.sampled_from([0.0, 1.0, 3.0, 70.0, 400.0])), max_size=8))
def test_any_numbers_are_taken_or_counted(run: list[tuple[list[tuple[int, float, float, float, bool]], float]]) -> None:
    derived = Derived("all", "a / b + c - d * e")
    engine, space, now = Engine(EngineSettings(idle_expiry=100, derived=(derived,))), KeySpace(), float(BEGIN)
    for name in "abcdefgh":
        space.add(series_key(name), Kind(ord(name) % 4))
    sent = 0
    for samples, ahead in run:
        ids, values, offsets, weights, relative = (
            (list(column) for column in zip(*samples, strict=True)) if samples else ([],) * 5
        )
        with np.errstate(over="ignore"):
            times = np.array(offsets, np.float64) + now
        batch = Batch(space, np.array(ids, np.int32), np.array(values, np.float64), times,
                      np.array(weights, np.float64), np.array(relative, np.bool_))  # fmt: skip
        engine.ingest(batch)
        sent += len(samples)
        now += ahead
        frame = engine.tick(now)
        for field in (*FIELDS, "p0.1"):
            for window in (1, 60, 900):
                engine.column(field, window, frame.rows)
            engine.history(frame.rows, field, 60, now - 200, now, 10)
    assert engine.counters.points == sent


def test_a_hundred_thousand_values_far_apart_do_not_fill_the_memory_for_long() -> None:
    engine, space = Engine(), KeySpace()
    space.add(series_key("d"), Kind.DISTRIBUTION)
    random = np.random.default_rng(1)
    for second in range(0, 12_000, 1000):
        values = 10.0 ** random.uniform(-300, 300, 5000)
        engine.ingest(Batch(space, np.zeros(5000, np.int32), values, np.full(5000, BEGIN + second + 0.5)))
        engine.tick(BEGIN + second + 1)
        engine.column("p99", 60)
    # One row can have no more blocks than there are bins of doubles, and the free ones are used again.
    assert len(engine._store.histograms._owners) < 2 * 2 * 1100 * 64 // 16
