"""A moment of the past shows what was seen live at that moment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.rewind.kept import PastHistory
from collector.rewind.replay import CanceledError
from collector.rewind.source import Kept, NothingKeptError, PastSource
from collector.storage.recorder import Recorder
from collector.storage.sink import Sink
from monitor.engine import Engine
from monitor.model.batch import Batch, Floats
from monitor.model.series import KeySpace, Kind, series_key
from monitor.wire import messages as m
from tests.collector.rewind.fakes import MemoryKept, NoRecord

START = 1_000_000
HELLO = m.Hello("1", "here", "boot-live", 0.0, 1.0, (60.0, 300.0, 900.0, 3600.0), 3600.0)
FIELDS = {
    "room.warmth": ("last", "mean", "min", "max", "count"),
    "shop.orders": ("sum", "rate"),
    "shop.time": ("count", "sum", "mean", "p50", "p99", "rate"),
}


class Life:
    """An engine that lives while its history is recorded, and remembers what was seen of it at each second."""

    def __init__(self, seed: int = 1, sink: Sink | None = None) -> None:
        self.engine = Engine()
        self.kept = MemoryKept()
        self.seen: dict[int, dict[tuple[str, str, float], Floats]] = {}
        self._recorder = Recorder(self.engine, sink or self.kept)
        self._space = KeySpace()
        self._random = np.random.default_rng(seed)
        self._ids = {
            name: [self._space.add(series_key(name, (("n", str(i)),)), kind, "s") for i in range(3)]
            for name, kind in (("room.warmth", Kind.GAUGE), ("shop.orders", Kind.COUNTER), ("shop.time", Kind.DISTRIBUTION))
        }
        self._ids["shop.visitors"] = [self._space.add(series_key("shop.visitors"), Kind.SET)]
        self.now = START
        self.engine.tick(START)

    def live(self, seconds: int, silent: tuple[str, ...] = ()) -> Life:
        for _ in range(seconds):
            for name, ids in self._ids.items():
                if name not in silent:
                    self._say(name, ids)
            self.now += 1
            self._recorder.record(self.engine.tick(self.now))
            self.seen[self.now] = self.columns(self.engine)
        return self

    def _say(self, name: str, ids: list[int]) -> None:
        size = int(self._random.integers(0, 4))
        # Of several readings of a gauge in one second the last is kept.
        which = self._random.choice(ids, min(size, len(ids)), replace=name != "room.warmth")
        size = len(which)
        values = self._random.lognormal(1.0, 1.0, size)
        if name == "shop.orders":
            values = np.floor(values)
        if name == "shop.visitors":
            values = self._random.integers(0, 20, size).astype(np.float64)
        times = self.now + np.sort(self._random.random(size))
        self.engine.ingest(Batch(self._space, which.astype(np.int32), values, times))

    def columns(self, engine: Engine) -> dict[tuple[str, str, float], Floats]:
        """Every field over every window, by series and not by row."""
        found = {}
        for name, fields in FIELDS.items():
            rows = [engine.table.find(series_key(name, (("n", str(i)),))) for i in range(3)]
            for field in fields:
                for window in HELLO.windows[::3]:
                    column = engine.column(field, window, np.array([-1 if row is None else row for row in rows], np.int32))
                    found[name, field, window] = column
        return found

    def past(self, at: float, history: PastHistory | None = None) -> PastSource:
        source = PastSource(Kept(history or self.kept, NoRecord(), None, lambda: HELLO), at)
        source.build()
        return source


@pytest.fixture(scope="module")
def life() -> Life:
    return Life().live(700)


def same(life: Life, past: PastSource, at: int) -> None:
    """What the past shows at a moment is what was seen then: exactly, or within a bin of the histogram."""
    for key, live in life.seen[at].items():
        _, field, _ = key
        shown = life.columns(past.engine)[key]
        # Of a distribution the bins are kept, not the extremes that a quantile is held within.
        close = 0.012 if field.startswith("p") else 1e-9
        np.testing.assert_allclose(shown, live, rtol=close, err_msg=f"{key} at {at - START}")


@pytest.mark.parametrize("second", [1, 59, 60, 61, 300, 455, 700])
def test_a_moment_of_the_past_is_what_was_seen_then(life: Life, second: int) -> None:
    same(life, life.past(START + second), START + second)


def test_it_plays_on_as_it_went_on_then(life: Life) -> None:
    past = life.past(START + 200)
    for second in range(201, 330):
        assert past.advance(START + second, START + 700)
        same(life, past, START + second)
    assert past.hello().time == START + 329
    assert past.hello().rewound == START + 200


@given(seed=st.integers(0, 1000), second=st.integers(3, 90))
@settings(max_examples=10, deadline=None)
def test_any_life_can_be_looked_at_afterwards(seed: int, second: int) -> None:
    life = Life(seed).live(40).live(20, ("shop.orders", "room.warmth")).live(30)
    same(life, life.past(START + second), START + second)


def test_a_counter_that_began_later_than_others_counts_what_it_counted() -> None:
    life = Life().live(400, ("shop.orders",)).live(100)
    same(life, life.past(START + 480), START + 480)


def test_charts_of_the_past_are_the_charts_of_then(life: Life) -> None:
    past = life.past(START + 400)
    for name, field in (("room.warmth", "mean"), ("shop.orders", "rate"), ("shop.time", "count")):
        key = series_key(name, (("n", "1"),))
        then, now = life.engine.table.find(key), past.engine.table.find(key)
        assert then is not None
        assert now is not None
        old = past.engine.history(np.array([now], np.int32), field, 60.0, START + 100, START + 380, 10.0)
        new = life.engine.history(np.array([then], np.int32), field, 60.0, START + 100, START + 380, 10.0)
        np.testing.assert_allclose(old.values, new.values, rtol=1e-9)


def test_a_set_shows_how_many_members_it_had(life: Life) -> None:
    past = life.past(START + 300)
    row = past.engine.table.find(series_key("shop.visitors"))
    assert row is not None
    live = life.engine.table.find(series_key("shop.visitors"))
    assert live is not None
    assert past.engine.column("value", 60.0, np.array([row], np.int32))[0] > 5


def test_it_does_not_play_beyond_the_present(life: Life) -> None:
    past = life.past(START + 690)
    assert past.advance(START + 10_000, START + 700)
    assert past.now == START + 698
    assert not past.advance(START + 10_000, START + 700)


def test_playing_reads_ahead_and_not_every_second(life: Life) -> None:
    past = life.past(START + 100)
    life.kept.reads.clear()
    for second in range(101, 159):
        past.advance(START + second, START + 700)
    assert len(life.kept.reads) == 1


def test_at_high_speed_the_states_are_those_of_then(life: Life) -> None:
    past = life.past(START + 100)
    for second in range(160, 700, 60):
        past.advance(START + second, START + 700, 60.0)
    same(life, past, START + 640)


def test_before_the_first_sample_there_is_nothing_to_show(life: Life) -> None:
    with pytest.raises(NothingKeptError, match=r"nothing is kept of 1970-01-12 13:45:40 UTC; the oldest data are of"):
        life.past(START - 60)
    empty = PastSource(Kept(MemoryKept(), NoRecord(), None, lambda: HELLO), 10.0)
    with pytest.raises(NothingKeptError, match=r"nothing is kept of 1970-01-01 00:00:10 UTC$"):
        empty.build()


def test_building_tells_how_far_it_is_and_stops_when_nobody_wants_it(life: Life) -> None:
    told: list[float] = []

    def progress(share: float) -> bool:
        told.append(share)
        return True

    PastSource(Kept(life.kept, NoRecord(), None, lambda: HELLO), START + 600).build(progress)
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] == 1.0
    with pytest.raises(CanceledError):
        PastSource(Kept(life.kept, NoRecord(), None, lambda: HELLO), START + 600).build(lambda share: share < 0.5)


def test_too_many_series_are_left_out_and_said(life: Life) -> None:
    source = PastSource(Kept(life.kept, NoRecord(), None, lambda: HELLO, series=4), START + 600)
    source.build()
    assert len(source.engine.table) == 4
    assert source.health().notes == ("4 of 10 series of that time are shown, this machine's first.",)


def test_a_series_that_said_nothing_for_an_hour_is_not_there() -> None:
    life = Life().live(20)
    life.now += 3600
    life.live(60, silent=("room.warmth",))
    past = life.past(life.now)
    assert past.engine.table.find(series_key("room.warmth", (("n", "1"),))) is None
    assert past.engine.table.find(series_key("shop.orders", (("n", "1"),))) is not None


def test_while_it_plays_a_series_that_ends_gives_up_its_row() -> None:
    life = Life().live(20)
    past = life.past(life.now - 1)
    assert past.engine.table.find(series_key("room.warmth", (("n", "1"),))) is not None
    past.advance(life.now + 3700, life.now + 4000, 3600.0)
    past.advance(life.now + 3720, life.now + 4000, 3600.0)
    assert past.engine.table.find(series_key("room.warmth", (("n", "1"),))) is None
