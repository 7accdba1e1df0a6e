"""Fields beyond the engine's hour: what the history answers is what the engine said while it was live."""

from __future__ import annotations

import math

import numpy as np
import pytest

from collector.archive import HistoryArchive
from collector.storage.memory_sink import MemorySink
from collector.storage.recorder import Recorder
from monitor.engine import Engine
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, SeriesInfo, series_key
from monitor.query.context import Limits

BEGIN = 1_700_000_040
SERIES = (
    (series_key("level", [("host", "a")]), Kind.GAUGE),
    (series_key("level", [("host", "b")]), Kind.GAUGE),
    (series_key("shop.hits"), Kind.COUNTER),
    (series_key("shop.latency"), Kind.DISTRIBUTION),
    (series_key("shop.users"), Kind.SET),
)


class Lived:
    """Ten minutes of an engine whose ticks were recorded, and what its fields were at each whole minute."""

    def __init__(self) -> None:
        self.engine, self.sink = Engine(), MemorySink()
        recorder, space = Recorder(self.engine, self.sink), KeySpace()
        for key, kind in SERIES:
            space.add(key, kind)
        random = np.random.default_rng(7)
        self.seen: dict[tuple[str, int], np.ndarray] = {}
        for second in range(600):
            now = BEGIN + second
            values = [float(second % 50), 7.0, 3.0, float(random.lognormal(-2, 0.5)), float(second % 9)]
            times = np.full(len(SERIES), now + 0.25)
            self.engine.ingest(Batch(space, np.arange(len(SERIES), dtype=np.int32), np.array(values), times))
            recorder.record(self.engine.tick(now + 1))
            if (now + 1) % 60 == 0:
                for field in FIELDS:
                    self.seen[field, now + 1] = self.engine.column(field, 60.0)
        self.archive = HistoryArchive(self.sink.history, Limits(), lambda: float(BEGIN), lambda: float(BEGIN))

    def infos(self) -> list[SeriesInfo]:
        return [info for row in self.engine.table.live().tolist() if (info := self.engine.table.info(row))]


FIELDS = ("value", "last", "min", "max", "mean", "sum", "count", "rate", "per_minute", "p50", "p99", "unique")


@pytest.fixture(scope="module")
def lived() -> Lived:
    return Lived()


@pytest.mark.parametrize(
    ("name", "field", "tolerance"),
    [
        ("level", "value", 0.0),
        ("level", "min", 0.0),
        ("level", "max", 0.0),
        ("level", "mean", 1e-9),
        ("level", "count", 0.0),
        ("shop.hits", "value", 1e-9),
        ("shop.hits", "rate", 1e-9),
        ("shop.hits", "per_minute", 1e-9),
        ("shop.hits", "sum", 1e-9),
        ("shop.latency", "p50", 0.03),
        ("shop.latency", "p99", 0.10),
        ("shop.latency", "count", 0.02),
        ("shop.latency", "mean", 0.02),
    ],
)
def test_a_field_of_the_past_is_what_it_was(lived: Lived, name: str, field: str, tolerance: float) -> None:
    infos = [info for info in lived.infos() if info.key.name == name]
    history = lived.archive.history(infos, field, 60.0, BEGIN + 61, BEGIN + 600, 60.0)
    assert len(history.times) >= 8
    places = np.searchsorted(lived.engine.table.live(), [info.row for info in infos])
    for at, time in enumerate(history.times.tolist()):
        wanted = lived.seen[field, int(time)][places]
        assert np.allclose(history.values[:, at], wanted, rtol=tolerance, atol=1e-12), (time, history.values[:, at], wanted)


def test_over_a_step_longer_than_the_window_all_of_the_step_counts(lived: Lived) -> None:
    infos = [info for info in lived.infos() if info.key.name == "level"]
    history = lived.archive.history(infos, "max", 60.0, BEGIN, BEGIN + 600, 300.0)
    assert history.step == 300.0
    assert history.values[0].tolist() == [49.0] * len(history.times)


def test_a_field_that_cannot_be_had_is_missing_and_not_wrong(lived: Lived) -> None:
    history = lived.archive.history(lived.infos(), "age", 60.0, BEGIN, BEGIN + 600, 60.0)
    assert np.isnan(history.values).all()


def test_many_series_of_one_name_are_read_in_one_go(lived: Lived) -> None:
    infos = [info for info in lived.infos() if info.key.name == "level"]
    many = [SeriesInfo(1000 + i, series_key("level", [("host", f"x{i}")]), Kind.GAUGE) for i in range(20)]
    history = lived.archive.history([*infos, *many], "value", 60.0, BEGIN + 61, BEGIN + 600, 60.0)
    assert not math.isnan(history.values[0, 0])
    assert np.isnan(history.values[2:]).all()
    assert history.rows.tolist() == [*(info.row for info in infos), *range(1000, 1020)]


@pytest.mark.parametrize("field", ["value", "rate", "mean", "p99", "count"])
def test_many_series_are_read_at_once_and_are_what_each_is_alone(lived: Lived, field: str) -> None:
    infos = lived.infos()
    together = lived.archive.history(infos, field, 60.0, BEGIN + 61, BEGIN + 600, 30.0)
    for place, info in enumerate(infos):
        alone = lived.archive.history([info], field, 60.0, BEGIN + 61, BEGIN + 600, 30.0)
        np.testing.assert_array_equal(together.values[place], alone.values[0], err_msg=info.key.label())


def test_a_series_without_some_tags_is_not_taken_for_one_that_has_them() -> None:
    sink = MemorySink()
    now = BEGIN * 1000
    for number, labels in enumerate(
        [(("__name__", "a"),), (("__name__", "a"), ("host", "x")), (("__name__", "b"), ("host", "x"))]
    ):
        refs = sink.intern([labels], [0])
        sink.append(refs, np.array([now + 30_000]), np.array([float(number)]))
    archive = HistoryArchive(sink.history, Limits(), lambda: float(BEGIN), lambda: float(BEGIN))
    infos = [
        SeriesInfo(0, series_key("a"), Kind.GAUGE),
        SeriesInfo(1, series_key("a", [("host", "x")]), Kind.GAUGE),
        SeriesInfo(2, series_key("b", [("host", "x")]), Kind.GAUGE),
    ]
    history = archive.history(infos, "value", 60.0, BEGIN, BEGIN + 60, 60.0)
    assert history.values[:, -1].tolist() == [0.0, 1.0, 2.0]
