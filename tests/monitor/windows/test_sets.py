"""Unique members: exact while few, close when many, in every window and in history."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.engine import Engine
from monitor.model.batch import Batch, Floats
from monitor.model.series import KeySpace, Kind, series_key
from monitor.windows.fold import empty_delta
from monitor.windows.members import MemberLog
from monitor.windows.sets import EXACT_LIMIT, REGISTERS, estimate, registers_of

BEGIN = 1_700_000_000


class SetFeed:
    """An engine with one set, fed by the second."""

    def __init__(self) -> None:
        self.engine, self.space, self.second = Engine(), KeySpace(), 0
        self.space.add(series_key("users"), Kind.SET)

    def feed(self, members: Floats) -> None:
        times = np.full(len(members), BEGIN + self.second + 0.5)
        self.engine.ingest(Batch(self.space, np.zeros(len(members), np.int32), members, times))
        self.second += 1
        self.engine.tick(BEGIN + self.second)

    def unique(self, window: float) -> float:
        return float(self.engine.column("unique", window)[0])

    @property
    def kept(self) -> int:
        sets = self.engine._store.sets
        return len(sets._rows[0].codes)


def test_few_members_are_counted_exactly_in_every_window() -> None:
    feed = SetFeed()
    for second in range(400):
        feed.feed(np.array([float(second % 70), float(second)]))
    for window in (1, 10, 60, 300):
        seen = {float(s % 70) for s in range(400 - window, 400)} | {float(s) for s in range(400 - window, 400)}
        assert feed.unique(window) == len(seen)


def test_many_members_are_counted_within_a_few_percent_in_every_window() -> None:
    random = np.random.default_rng(1)
    feed, seen = SetFeed(), []
    for _ in range(120):
        members = random.integers(0, 200_000, 1500).astype(np.float64)
        seen.append(members)
        feed.feed(members)
    for window in (1, 10, 60, 120):
        exact = len(np.unique(np.concatenate(seen[-window:])))
        assert feed.unique(window) == pytest.approx(exact, rel=0.07)
    assert feed.kept < 12 * REGISTERS


def test_a_large_set_becomes_exact_again_after_an_hour_of_few() -> None:
    feed = SetFeed()
    feed.feed(np.arange(EXACT_LIMIT * 3, dtype=np.float64))
    assert feed.unique(60) == pytest.approx(EXACT_LIMIT * 3, rel=0.07)
    feed.second += 3700
    feed.feed(np.array([1.0]))
    feed.second += 3700
    feed.feed(np.array([1.0, 2.0]))
    assert feed.unique(60) == 2.0


def test_the_estimate_is_unbiased_and_as_narrow_as_promised() -> None:
    random = np.random.default_rng(2)
    errors = []
    for size in (500, 5_000, 20_000, 100_000):
        for _ in range(12):
            codes = registers_of(random.integers(0, 1 << 53, size).astype(np.uint64)).astype(np.int64)
            ranks = np.zeros(REGISTERS, np.int64)
            np.maximum.at(ranks, codes >> 6, codes & 63)
            errors.append(estimate(ranks) / size - 1)
    assert abs(np.mean(errors)) < 0.006
    assert np.std(errors) < 0.02


def test_history_counts_members_of_each_step() -> None:
    feed = SetFeed()
    for second in range(900):
        feed.feed(np.array([float(second // 30), 7777.0]))
    history = feed.engine.history(np.zeros(1, np.int32), "unique", 60, BEGIN + 300, BEGIN + 900, 60)
    assert set(history.values[0].tolist()) <= {3.0, 4.0}
    assert len(history.times) == 10


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5)), min_size=1, max_size=60),
    st.integers(1, 12),
)
def test_the_log_counts_as_a_set_would(seen: list[tuple[int, int]], window: int) -> None:
    seen = sorted(set(seen))
    log = MemberLog()
    delta = replace(
        empty_delta(40.0),
        set_rows=np.zeros(len(seen), np.int32),
        set_seconds=np.array([s for s, _ in seen], np.int64),
        set_hashes=np.array([h for _, h in seen], np.float64),
    )
    log.apply(delta, 0)
    ends = np.arange(1, 40)
    starts = np.maximum(ends - window, 0)
    got = log.unique(0, starts, ends).tolist()
    assert got == [len({h for s, h in seen if a <= s < b}) for a, b in zip(starts, ends, strict=True)]


def test_the_log_gives_up_its_oldest_slots_rather_than_grow() -> None:
    log = MemberLog(limit=100)
    for second in range(50):
        delta = replace(
            empty_delta(second + 1.0),
            set_rows=np.zeros(10, np.int32),
            set_seconds=np.full(10, second, np.int64),
            set_hashes=np.arange(10, dtype=np.float64) + second,
        )
        log.apply(delta, 0)
    got = log.unique(0, np.array([0, 45]), np.array([10, 50]))
    assert np.isnan(got[0])
    assert got[1] == 14.0


def test_rows_given_up_are_forgotten() -> None:
    feed = SetFeed()
    feed.feed(np.array([1.0, 2.0]))
    sets = feed.engine._store.sets
    sets.scrub(np.zeros(1, np.int32))
    assert np.isnan(sets.unique(0, 1)).all()
    assert sets.log.unique(0, np.array([BEGIN]), np.array([BEGIN + 10])).tolist() == [0.0]
