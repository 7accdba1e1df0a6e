"""What the embedded history keeps is enough to see again what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from collector.storage.history.replaying import StoredPast
from collector.storage.history.settings import HistorySettings
from collector.storage.history.store import HistoryStore
from monitor.model.series import Kind, series_key
from tests.collector.rewind.test_past import START, Life, same


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HistoryStore]:
    opened = HistoryStore(tmp_path, HistorySettings(), clock=lambda: float(START + 10_000))
    yield opened
    opened.close()


@pytest.mark.parametrize("folded", [False, True], ids=["fresh", "in chunks"])
def test_a_moment_of_the_past_is_what_was_seen_then(store: HistoryStore, folded: bool) -> None:
    life = Life(sink=store).live(700)
    if folded:
        store.fold()
        store.step(START + 5_000)
    history = StoredPast(store)
    for second in (61, 300, 455, 700):
        past = life.past(START + second, history)
        same(life, past, START + second)
    assert past.advance(START + 699, START + 2_000) is False


def test_it_plays_on_from_what_is_stored(store: HistoryStore) -> None:
    life = Life(sink=store).live(200)
    store.fold()
    life.live(200)
    past = life.past(START + 150, StoredPast(store))
    for second in range(151, 260, 7):
        past.advance(START + second, START + 400)
        same(life, past, START + second)


def test_series_come_with_their_kinds_and_units(store: HistoryStore) -> None:
    life = Life(sink=store).live(30)
    past = life.past(START + 30, StoredPast(store))
    for name, kind in (("room.warmth", Kind.GAUGE), ("shop.orders", Kind.COUNTER), ("shop.time", Kind.DISTRIBUTION)):
        row = past.engine.table.find(series_key(name, (("n", "1"),)))
        assert row is not None
        info = past.engine.table.info(row)
        assert info is not None
        assert info.kind is kind


def test_long_ago_the_coarser_part_is_read_from_a_tier(store: HistoryStore) -> None:
    """An hour before the moment the windows are those of whole tens, as the engine keeps them itself."""
    life = Life(sink=store).live(1400)
    store.fold()
    past = life.past(START + 1400, StoredPast(store))
    key = series_key("room.warmth", (("n", "1"),))
    then, now = life.engine.table.find(key), past.engine.table.find(key)
    assert then is not None
    assert now is not None
    old = past.engine.history(np.array([now], np.int32), "last", 60.0, START + 100, START + 1000, 10.0)
    new = life.engine.history(np.array([then], np.int32), "last", 60.0, START + 100, START + 1000, 10.0)
    np.testing.assert_allclose(old.values, new.values)
    same(life, past, START + 1400)
