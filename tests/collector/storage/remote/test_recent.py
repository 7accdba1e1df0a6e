"""What is at hand says truly since when it is all of it."""

from __future__ import annotations

import numpy as np
import pytest

from collector.storage.remote.recent import NEVER, RecentSink
from monitor.query.evaluator import Evaluator
from tests.collector.storage.remote.receiver import GAUGE, named

BEGAN = 1_700_000_000


def recent(seconds: float = 600.0, samples: int = 1_000_000, series: int = 1000) -> RecentSink:
    return RecentSink(seconds, samples=samples, series=series, clock=lambda: float(BEGAN))


def fill(sink: RecentSink, count: int, first: int, seconds: int) -> None:
    refs = sink.intern([named("load", host=str(n)) for n in range(count)], [GAUGE] * count)
    for second in range(first, first + seconds):
        sink.append(refs, np.full(count, 1000 * (BEGAN + second)), np.ones(count))
        assert sink.commit()


@pytest.mark.parametrize(("samples", "series"), [(1_000_000, 1000), (5000, 1000), (1_000_000, 7)])
def test_since_then_every_sample_is_there(samples: int, series: int) -> None:
    sink = recent(600.0, samples, series)
    for first in range(0, 1800, 100):
        fill(sink, 10, first, 100)
        now = 1000 * (BEGAN + first + 99)
        since = sink.since()
        assert since >= 1000 * BEGAN
        span = now - since
        if span > 1000:
            answer = Evaluator(sink.history).instant(f"sum(count_over_time(load[{span}ms]))", now)
            assert answer.matrix is not None
            assert answer.matrix.values[0, 0] == 10 * (span // 1000)
    assert (since > now) == (series < 10), "while series are refused nothing is complete"
    if samples > 5000 and series > 10:
        assert span == 600_000


def test_nothing_is_at_hand_when_nothing_is_to_be() -> None:
    sink = recent(0.0)
    fill(sink, 3, 0, 10)
    assert sink.since() == NEVER
