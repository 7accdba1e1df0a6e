"""Running totals of deltas go on where they were before a restart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collector.receivers.otlp import resuming
from collector.receivers.otlp.resuming import LastTotals
from collector.storage.memory_sink import MemorySink
from monitor.model.matchers import Matcher
from monitor.model.series import Kind, SeriesKey
from monitor.query.history import STALE, Hints, Labels, Selected
from tests.collector.receivers.otlp.recording import NOW, Station, metrics_request, nano, pairs

BEFORE = NOW - 100


def kept(*told: tuple[str, str, Kind, float, float]) -> MemorySink:
    """A history of (name, host, kind, value, seconds since the epoch)."""
    sink = MemorySink()
    for name, host, kind, value, at in told:
        labels: Labels = (("__name__", name), ("host", host))
        refs = sink.intern([labels], [int(kind)])
        sink.append(refs, np.array([round(at * 1000)]), np.array([value]))
    return sink


def deltas(name: str, host: str, value: float, at: float, monotonic: bool = True) -> ExportMetricsServiceRequest:
    request, metrics = metrics_request()
    metric = metrics.metrics.add(name=name)
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = 1, monotonic
    metric.sum.data_points.add(as_double=value, time_unix_nano=nano(at - NOW), attributes=pairs({"host": host}))
    return request


def totals_of(sink: MemorySink) -> LastTotals:
    return LastTotals(sink.history, lambda: NOW)


def test_the_last_total_is_found_and_what_ended_or_is_old_is_not() -> None:
    totals = totals_of(
        kept(
            ("hits", "a", Kind.COUNTER, 5.0, BEFORE - 10),
            ("hits", "a", Kind.COUNTER, 7.0, BEFORE),
            ("hits", "b", Kind.COUNTER, 3.0, BEFORE),
            ("hits", "b", Kind.COUNTER, STALE, BEFORE + 1),
            ("hits", "c", Kind.COUNTER, 9.0, NOW - 2 * resuming.LOOK_BACK),
        )
    )
    keys = [SeriesKey("hits", (("host", host),)) for host in "abcd"]
    assert totals.of(keys) == pytest.approx([7.0, np.nan, np.nan, np.nan], nan_ok=True)
    assert totals.resumed == 1


def test_a_metric_is_asked_for_once_and_only_while_there_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = kept(("a", "x", Kind.COUNTER, 1.0, BEFORE), ("b", "x", Kind.COUNTER, 2.0, BEFORE))
    asked: list[str] = []
    select = sink.history.select

    def watched(matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        asked.append(matchers[0].value)
        return select(matchers, start, end, hints)

    monkeypatch.setattr(sink.history, "select", watched)
    monkeypatch.setattr(resuming, "AT_ONCE", 1)
    totals = LastTotals(sink.history, lambda: NOW, lambda: float(len(asked)))  # each question takes a second
    keys = [SeriesKey(name, (("host", "x"),)) for name in "ab"]
    assert totals.of(keys)[0] == 1.0
    totals.of([SeriesKey("a", (("host", "y"),)), *keys])
    assert asked == ["a"]
    totals.begin()
    assert totals.of(keys[1:]).tolist() == [2.0]


def test_many_metrics_are_one_question_whatever_their_names_hold() -> None:
    names = ["http.server.duration", "a|b", "x(y", "plain"]
    totals = totals_of(kept(*((name, "h", Kind.COUNTER, float(place), BEFORE) for place, name in enumerate(names))))
    assert totals.of([SeriesKey(name, (("host", "h"),)) for name in names]).tolist() == [0.0, 1.0, 2.0, 3.0]


def test_counters_and_levels_go_on_from_what_was_kept() -> None:
    sink = kept(("hits", "a", Kind.COUNTER, 100.0, BEFORE), ("open", "a", Kind.GAUGE, 40.0, BEFORE))
    station = Station(totals=totals_of(sink))
    station.metrics(deltas("hits", "a", 5.0, NOW - 10))
    station.metrics(deltas("hits", "a", 2.0, NOW - 5))
    station.metrics(deltas("hits", "b", 2.0, NOW - 5))
    station.metrics(deltas("open", "a", -3.0, NOW - 5, monotonic=False))
    readings = station.got.readings()
    assert [value for _, value in readings['hits{host="a"}']] == [100.0, 105.0, 107.0]
    assert [value for _, value in readings['hits{host="b"}']] == [0.0, 2.0]
    assert [value for _, value in station.got.gauges()['open{host="a"}']] == [40.0, 37.0]
    assert [value for _, value in station.got.increments()['hits{host="a"}']] == [5.0, 2.0]
