"""Exemplars of a scrape, as OpenMetrics and protobuf tell them; a target without any is read as before."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from collector.protobuf.wire import bytes_field, double_field, number_field, text_field
from collector.receivers.prometheus.exposition_parser import ExpositionParser, Parser
from collector.receivers.prometheus.limits import ExpositionError
from collector.receivers.prometheus.protobuf import ProtobufParser
from collector.receivers.prometheus.relabel import read_rules
from collector.receivers.prometheus.series import ScrapeCounters, TargetSeries
from collector.receivers.prometheus.target import Policy
from monitor.model.exemplars import all_labels
from tests.collector.receivers.prometheus import protobufs

NOW = 1000.0
TRACE = "5b8efff798038103d269b633813fc60c"
Told = tuple[str, float, float, tuple[tuple[str, str], ...]]


class Target:
    """A target whose answers are given as bytes; what its exemplars are as their series have them."""

    def __init__(self, parser: Parser | None = None, policy: Policy | None = None) -> None:
        self.parser: Parser = parser or ExpositionParser(openmetrics=True)
        self.series = TargetSeries({"job": "shop"}, False, ScrapeCounters(), policy)

    def answers(self, body: bytes) -> list[Told]:
        """Series, time, value and labels."""
        samples = self.parser.parse(body)
        self.series.taken(samples, self.parser, NOW, 0.1)
        found = self.series.exemplars(samples, NOW)
        if found is None:
            return []
        rows = zip(found.ids, found.times, found.values, found.traces.tolist(), found.spans.tolist(), found.labels, strict=True)
        return [
            (found.space.keys[number].label(), time, value, all_labels(high << 64 | low, span, labels))
            for number, time, value, (high, low), span, labels in rows
        ]


def test_the_real_client_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 900.25)
    registry = CollectorRegistry()
    Counter("orders", "Orders.", registry=registry).inc(3, {"trace_id": TRACE})
    seconds = Histogram("checkout_seconds", "Time taken.", ["route"], buckets=(0.5, 1.0), registry=registry)
    seconds.labels("/pay").observe(0.75, {"trace_id": TRACE, "user": 'mi"ra\n\\'})
    text = generate_latest(registry)  # type: ignore[no-untyped-call]
    assert Target().answers(text) == [
        ('orders_total{job="shop"}', 900.25, 3.0, (("trace_id", TRACE),)),
        (
            'checkout_seconds_bucket{job="shop",le="1.0",route="/pay"}',
            900.25,
            0.75,
            (("trace_id", TRACE), ("user", 'mi"ra\n\\')),
        ),
    ]


def text(*lines: str) -> bytes:
    return "\n".join(["# TYPE a counter", *lines, "# EOF", ""]).encode()


def test_one_without_a_time_gets_that_of_the_scrape() -> None:
    assert Target().answers(text('a_total 1 # {id="x"} 0.5')) == [('a_total{job="shop"}', NOW, 0.5, (("id", "x"),))]


def test_a_second_answer_with_the_same_lines_tells_its_own_exemplars() -> None:
    target = Target()
    assert len(target.answers(text('a_total{x="1"} 1 # {id="x # y"} 0.5 7', 'a_total{x="2"} 4'))) == 1
    found = target.answers(text('a_total{x="1"} 2', 'a_total{x="2"} 5 # {} 2 8'))
    assert found == [('a_total{job="shop",x="2"}', 8.0, 2.0, ())]


def test_values_and_times_beside_exemplars_are_as_without_them() -> None:
    plain = ExpositionParser(openmetrics=True).parse(text('a_total{x="1"} 1 5', 'a_total{x="2"} 4'))
    told = ExpositionParser(openmetrics=True).parse(text('a_total{x="1"} 1 5 # {id="x"} 0.5 7', 'a_total{x="2"} 4 # {id="y"} 1'))
    assert told.values.tolist() == plain.values.tolist()
    assert told.times is not None
    assert told.times[0] == 5.0
    assert math.isnan(told.times[1])


@pytest.mark.parametrize(
    "tail", [' # {id="x"}', ' # {id="x"} ', " # 0.5", ' # {id="x" 0.5', ' # {id="' + "x" * 130 + '"} 1', " #"]
)
def test_what_is_no_exemplar_fails_the_scrape_also_when_its_lines_are_known(tail: str) -> None:
    target = Target()
    target.answers(text("a_total 1"))
    with pytest.raises(ExpositionError):
        target.answers(text(f"a_total 2{tail}"))


@given(st.text(max_size=40), st.floats(allow_nan=False, allow_infinity=False))
def test_hostile_labels_come_through_as_they_are(value: str, told: float) -> None:
    escaped = value.encode("utf-8", "replace").decode().replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    expected = (("id", value.encode("utf-8", "replace").decode()),) if value else ()
    assert Target().answers(text(f'a_total 1 # {{id="{escaped}"}} {told!r}')) == [('a_total{job="shop"}', NOW, told, expected)]


def test_series_that_relabelling_drops_have_none() -> None:
    rules = read_rules([{"source_labels": ["x"], "regex": "1", "action": "drop"}])
    target = Target(policy=Policy(metric_relabel=rules))
    found = target.answers(text('a_total{x="1"} 1 # {id="x"} 1', 'a_total{x="2"} 1 # {id="y"} 1'))
    assert [name for name, *_ in found] == ['a_total{job="shop",x="2"}']


def message(value: float, seconds: int = 0, nanos: int = 0, **labels: str) -> bytes:
    pairs = b"".join(bytes_field(1, text_field(1, name) + text_field(2, text)) for name, text in labels.items())
    time = bytes_field(3, number_field(1, seconds) + number_field(2, nanos)) if seconds else b""
    return pairs + double_field(2, value) + time


def test_protobuf_tells_them_of_counters_buckets_and_native_histograms() -> None:
    counter = protobufs.value(3.0) + bytes_field(2, message(1.0, 900, 250_000_000, trace_id=TRACE))
    bucket = bytes_field(3, number_field(1, 2) + double_field(2, 0.5) + bytes_field(3, message(0.25, id="b")))
    drawn = protobufs.native(3, 0, [(0, 2)], [1, 0]) + bytes_field(16, message(0.3, 901, id="n"))
    body = protobufs.family("a", protobufs.COUNTER, protobufs.metric(protobufs.COUNTER, counter))
    body += protobufs.family(
        "h", protobufs.HISTOGRAM, protobufs.metric(protobufs.HISTOGRAM, protobufs.histogram(2, 1.0, {}, bucket + drawn))
    )
    assert Target(ProtobufParser()).answers(body) == [
        ('a{job="shop"}', 900.25, 1.0, (("trace_id", TRACE),)),
        ('h_bucket{job="shop",le="0.5"}', NOW, 0.25, (("id", "b"),)),
        ('h{job="shop"}', 901.0, 0.3, (("id", "n"),)),
    ]


def test_labels_of_protobuf_that_are_too_long_leave_their_exemplar_out() -> None:
    counter = protobufs.value(3.0) + bytes_field(2, message(1.0, id="x" * 200))
    body = protobufs.family("a", protobufs.COUNTER, protobufs.metric(protobufs.COUNTER, counter))
    assert Target(ProtobufParser()).answers(body) == []
