"""Streams of batches and ticks for hypothesis: late, early, duplicate, out of order, of all kinds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, SeriesKey, series_key

BEGIN = 1_700_000_000
SERIES: tuple[tuple[SeriesKey, Kind], ...] = (
    (series_key("requests", [("host", "a")]), Kind.COUNTER),
    (series_key("requests", [("host", "b")]), Kind.COUNTER),
    (series_key("level"), Kind.GAUGE),
    (series_key("memory", [("host", "a")]), Kind.GAUGE),
    (series_key("latency", [("host", "a")]), Kind.DISTRIBUTION),
    (series_key("latency"), Kind.DISTRIBUTION),
    (series_key("users"), Kind.SET),
    (series_key("level"), Kind.COUNTER),
)


@dataclass(frozen=True)
class Sample:
    series: int
    offset: float
    value: float
    weight: float
    relative: bool


@dataclass(frozen=True)
class Step:
    """What arrives after a tick, and by how much time goes on to the next."""

    samples: tuple[Sample, ...]
    ahead: float


def new_space() -> KeySpace:
    space = KeySpace()
    for key, kind in SERIES:
        space.add(key, kind)
    return space


def batch_of(space: KeySpace, samples: tuple[Sample, ...], now: float) -> Batch:
    """A batch of samples whose offsets count from `now`."""
    return Batch(
        space,
        np.array([s.series for s in samples], np.int32),
        np.array([s.value for s in samples]),
        np.array([now + s.offset for s in samples]),
        np.array([s.weight for s in samples]),
        np.array([s.relative for s in samples]),
    )


def samples(late: bool = True, relative: bool = True) -> st.SearchStrategy[Sample]:
    offsets = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.5, 2.0, 9.75, 12.0])
    if late:
        offsets |= st.sampled_from([-0.25, -1.0, -3.5, -17.0, -59.0, -61.0, -75.0])
    return st.builds(
        Sample,
        st.integers(0, len(SERIES) - 1),
        offsets,
        st.integers(-40, 400).map(lambda quarters: quarters / 4) | st.sampled_from([0.0, float("nan"), 1e9, 1e-7, 3.0]),
        st.sampled_from([1.0, 1.0, 1.0, 2.0, 10.0, 2.5]),
        st.sampled_from([False, False, True]) if relative else st.just(False),
    )


def steps(late: bool = True, relative: bool = True) -> st.SearchStrategy[list[Step]]:
    ahead = st.sampled_from([1.0, 1.0, 1.0, 1.0, 0.25, 2.0, 5.0, 9.0, 10.0, 37.0, 60.0, 240.0, 300.0, 900.0, 3550.0])
    return st.lists(st.builds(Step, st.lists(samples(late, relative), max_size=6).map(tuple), ahead), min_size=1, max_size=14)
