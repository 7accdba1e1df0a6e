"""What the history gets of what comes in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings

from collector.storage.interning import labels_of
from collector.storage.memory_sink import MemorySink
from collector.storage.recorder import Recorder
from monitor.engine import Engine, EngineSettings
from monitor.model.batch import Batch, Floats, Ids
from monitor.model.matchers import Matcher
from monitor.model.series import KeySpace, Kind, series_key
from monitor.query.history import STALE_BITS, Hints, Labels
from tests.monitor.streams import BEGIN, SERIES, Sample, Step, batch_of, new_space, steps

COUNTERS = [place for place, (_, kind) in enumerate(SERIES) if kind is Kind.COUNTER]
Longs = npt.NDArray[np.int64]


class Kept:
    """A history that remembers what it was given, by series."""

    def __init__(self) -> None:
        self.refs: dict[Labels, int] = {}
        self.generation = 0
        self.room = 1_000
        self.kind: list[int] = []
        self.samples: dict[int, list[tuple[int, float]]] = {}
        self.histograms: dict[int, list[tuple[int, dict[int, float], float]]] = {}

    def intern(self, labels: Sequence[Labels], kinds: Sequence[int], units: Sequence[str] = ()) -> Longs:
        for each, kind in zip(labels, kinds, strict=True):
            if each not in self.refs and len(self.refs) < self.room:
                self.refs[each] = len(self.refs)
                self.kind.append(kind)
        return np.array([self.refs.get(each, -1) for each in labels], np.int64)

    def kinds(self, refs: Longs) -> npt.NDArray[np.int8]:
        return np.array(self.kind, np.int8)[refs]

    def append(self, refs: Longs, times: Longs, values: Floats) -> None:
        bits = values.view(np.uint64)
        for ref, time, value, bit in zip(refs.tolist(), times.tolist(), values.tolist(), bits.tolist(), strict=True):
            assert not np.isnan(value) or bit == STALE_BITS
            self.samples.setdefault(ref, []).append((time, value))

    def append_histograms(self, refs: Longs, times: Longs, offsets: Longs, bins: Ids, counts: Floats, sums: Floats) -> None:
        for i, (ref, time) in enumerate(zip(refs.tolist(), times.tolist(), strict=True)):
            part = slice(offsets[i], offsets[i + 1])
            filled = dict(zip(bins[part].tolist(), counts[part].tolist(), strict=True))
            self.histograms.setdefault(ref, []).append((time, filled, float(sums[i])))

    def of(self, name: str, *tags: tuple[str, str]) -> list[tuple[int, float]]:
        return self.samples.get(self.refs[labels_of(series_key(name, tags))], [])


class Stage:
    """An engine whose ticks are recorded, at second 1,000 and later."""

    def __init__(self, idle_expiry: float = 3600.0) -> None:
        self.kept = Kept()
        self.engine = Engine(EngineSettings(idle_expiry=idle_expiry))
        self.recorder = Recorder(self.engine, self.kept)
        self.space = KeySpace()
        self.ids: dict[str, int] = {}

    def send(self, name: str, kind: Kind, value: float, time: float) -> None:
        series = self.ids.setdefault(name, len(self.ids))
        if series == len(self.space):
            self.space.add(series_key(name), kind)
        self.engine.ingest(Batch(self.space, np.array([series], np.int32), np.array([value]), np.array([time])))

    def tick(self, now: float) -> None:
        self.recorder.record(self.engine.tick(now))


def test_a_gauge_is_kept_by_the_second_at_its_end() -> None:
    stage = Stage()
    stage.send("level", Kind.GAUGE, 4.0, 1000.2)
    stage.send("level", Kind.GAUGE, 5.0, 1000.7)
    stage.tick(1001)
    assert stage.kept.of("level") == [(1_001_000, 5.0)]


def test_a_counter_begins_with_nothing_and_rises() -> None:
    stage = Stage()
    stage.send("hits", Kind.COUNTER, 3.0, 1000.2)
    stage.tick(1001)
    stage.send("hits", Kind.COUNTER, 2.0, 1001.5)
    stage.tick(1002)
    assert stage.kept.of("hits") == [(1_000_000, 0.0), (1_001_000, 3.0), (1_002_000, 5.0)]


def test_after_a_silence_the_total_stands_where_it_was_until_the_new_increment() -> None:
    stage = Stage()
    stage.send("hits", Kind.COUNTER, 3.0, 1000.0)
    stage.tick(1001)
    stage.send("hits", Kind.COUNTER, 1.0, 1010.0)
    stage.tick(1011)
    assert stage.kept.of("hits")[-2:] == [(1_010_000, 3.0), (1_011_000, 4.0)]


def test_a_counter_that_stands_still_is_told_again_every_15_s_and_ends_with_a_marker() -> None:
    stage = Stage(idle_expiry=120)
    stage.send("hits", Kind.COUNTER, 3.0, 1000.0)
    for now in range(1001, 1180):
        stage.tick(now)
    kept = stage.kept.of("hits")
    assert [time // 1000 for time, _ in kept[2:]] == [*range(1020, 1121, 15), 1122]
    assert kept[-2][1] == 3.0
    assert np.isnan(kept[-1][1])


def test_an_increment_that_comes_late_is_counted_when_it_came() -> None:
    stage = Stage()
    stage.send("hits", Kind.COUNTER, 3.0, 1000.0)
    stage.tick(1010)
    stage.send("hits", Kind.COUNTER, 4.0, 1005.0)
    stage.tick(1011)
    assert stage.kept.of("hits")[-1] == (1_011_000, 7.0)


def test_raw_batches_are_kept_as_they_came_and_once() -> None:
    stage = Stage()
    space = KeySpace(raw=True)
    ids = np.array([space.add(series_key("scraped_total"), Kind.COUNTER)], np.int32)
    readings = Batch(space, ids, np.array([12.0]), np.array([1000.125]), raw=True, windowed=False)
    stage.recorder.take(readings)
    stage.engine.ingest(Batch(space, ids, np.array([2.0]), np.array([1000.125])))
    stage.tick(1001)
    assert stage.kept.of("scraped_total") == [(1_000_125, 12.0)]


def test_one_name_sent_as_two_kinds_is_kept_as_two_series() -> None:
    stage = Stage()
    space = KeySpace()
    ids = np.array([space.add(series_key("level"), Kind.GAUGE), space.add(series_key("level"), Kind.COUNTER)], np.int32)
    stage.engine.ingest(Batch(space, ids, np.array([7.0, 1.0]), np.array([1000.0, 1000.0])))
    stage.tick(1001)
    assert stage.kept.of("level") == [(1_001_000, 7.0)]
    assert stage.kept.of("level", ("lightship_kind", "counter"))[-1] == (1_001_000, 1.0)


@settings(max_examples=60, deadline=None)
@given(steps())
def test_nothing_that_the_windows_were_given_is_lost(run: list[Step]) -> None:
    kept, engine = Kept(), Engine(EngineSettings(idle_expiry=1e9))
    recorder, space, now = Recorder(engine, kept), new_space(), float(BEGIN)
    totals: dict[tuple[object, Kind], float] = {}
    observed: dict[tuple[object, Kind], float] = {}
    ending = Step(tuple(Sample(i, -0.5, 1.0, 1.0, False) for i in COUNTERS), 15.0)
    for step in [*run, Step((), 15.0), ending]:
        engine.ingest(batch_of(space, step.samples, now))
        now += step.ahead
        frame = engine.tick(now)
        recorder.record(frame)
        add_up(engine, frame.delta.rows, frame.delta.sums, Kind.COUNTER, totals)
        add_up(engine, frame.delta.hist_rows, frame.delta.hist_counts, Kind.DISTRIBUTION, observed)
    last = []
    for ref, samples in kept.samples.items():
        if kept.kind[ref] == Kind.COUNTER:
            times = [time for time, _ in samples]
            assert times == sorted(times)
            last.append(samples[-1][1])
    assert np.allclose(sorted(last), sorted(totals.values()))
    counted = [sum(sum(filled.values()) for _, filled, _ in each) for each in kept.histograms.values()]
    assert np.allclose(sorted(counted), sorted(observed.values()))


def add_up(engine: Engine, rows: Ids, amounts: Floats, kind: Kind, into: dict[tuple[object, Kind], float]) -> None:
    for row, amount in zip(rows.tolist(), amounts.tolist(), strict=True):
        info = engine.table.info(row)
        if info is not None and info.kind is kind:
            into[info.key, kind] = into.get((info.key, kind), 0.0) + amount


def test_a_distribution_begins_with_nothing_and_so_it_does_after_a_silence() -> None:
    stage = Stage()
    for second in (1000, 1001, 1010):
        stage.send("latency", Kind.DISTRIBUTION, 0.5, second + 0.5)
        stage.tick(second + 1)
    (kept,) = stage.kept.histograms.values()
    assert [(time // 1000, sum(filled.values()), total) for time, filled, total in kept] == [
        (1000, 0.0, 0.0),
        (1001, 1.0, 0.5),
        (1002, 1.0, 0.5),
        (1010, 0.0, 0.0),
        (1011, 1.0, 0.5),
    ]


def test_series_beyond_the_history_s_room_are_counted_and_cost_nothing_else() -> None:
    stage = Stage()
    stage.kept.room = 1
    stage.send("level", Kind.GAUGE, 4.0, 1000.2)
    stage.tick(1001)
    stage.send("level", Kind.GAUGE, 5.0, 1001.2)
    stage.send("hits", Kind.COUNTER, 5.0, 1001.2)
    stage.send("latency", Kind.DISTRIBUTION, 5.0, 1001.2)
    stage.tick(1002)
    assert stage.kept.of("level") == [(1_001_000, 4.0), (1_002_000, 5.0)]
    assert not stage.kept.histograms
    assert stage.recorder.unplaced == 4, "a total and an observation, and the nothing before each"


def test_after_series_have_left_the_history_all_are_named_again() -> None:
    stage = Stage()
    stage.send("level", Kind.GAUGE, 4.0, 1000.2)
    stage.tick(1001)
    stage.kept.refs, stage.kept.kind = {labels_of(series_key("other")): 0}, [0]
    stage.kept.generation += 1
    stage.send("level", Kind.GAUGE, 5.0, 1001.2)
    stage.tick(1002)
    assert stage.kept.of("level") == [(1_002_000, 5.0)]


def test_a_nan_that_a_peer_sent_as_a_reading_is_no_marker() -> None:
    engine, sink, space = Engine(), MemorySink(), KeySpace(raw=True)
    space.add(series_key("m"), Kind.GAUGE)
    normal = np.array([0x7FF8000000000001], np.uint64).view(np.float64)
    for second, values in enumerate((normal, np.array([np.nan]))):
        times = np.array([1_700_000_000.0 + second])
        Recorder(engine, sink).take(Batch(space, np.zeros(1, np.int32), values, times, raw=True))
    found = sink.history.select([Matcher("__name__", "=", "m")], 0, 1 << 62, Hints(0)).blocks[0].values[0]
    assert found.view(np.uint64).tolist() == [0x7FF8000000000001, STALE_BITS]
