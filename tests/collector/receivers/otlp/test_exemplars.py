"""Exemplars of OTLP's points: each with its series, of a histogram with the bucket that it fell into."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1 import metrics_pb2

from collector.receivers.otlp.attributes import Attributes
from collector.receivers.otlp.counters import OtlpCounters
from collector.receivers.otlp.exemplars import PointExemplars, may_hold
from collector.receivers.otlp.json_form import to_protobuf
from collector.receivers.otlp.metrics import MetricsReader
from collector.receivers.otlp.names import DEFAULT_RESOURCE_TAGS, TagNames
from collector.receivers.otlp.schema import UnreadableError
from collector.receivers.otlp.series import MetricSeries
from monitor.model.exemplars import Exemplars, all_labels
from monitor.model.series import KeySpace, Kind, series_key

NOW = 1_700_000_000.0
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
Told = tuple[str, float, float, tuple[tuple[str, str], ...]]
IDS = (("span_id", SPAN), ("trace_id", TRACE))


def reader(keeps: bool = True) -> MetricsReader:
    counters = OtlpCounters()
    decoder = Attributes(counters)
    series = MetricSeries(decoder, TagNames(DEFAULT_RESOURCE_TAGS, counters), 1000, NOW)
    return MetricsReader(series, lambda: NOW, decoder if keeps else None)


def told(found: Exemplars | None) -> list[Told]:
    if found is None:
        return []
    rows = zip(found.ids, found.times, found.values, found.traces.tolist(), found.spans.tolist(), found.labels, strict=True)
    return [
        (found.space.keys[number].label(), time, value, all_labels(high << 64 | low, span, labels))
        for number, time, value, (high, low), span, labels in rows
    ]


def exemplar(value: float, seconds: float = NOW, **attributes: str) -> dict[str, Any]:
    """One as OTLP/JSON has it."""
    pairs = [{"key": name, "value": {"stringValue": text}} for name, text in attributes.items()]
    time = str(round(seconds * 1e9))
    return {"timeUnixNano": time, "asDouble": value, "traceId": TRACE, "spanId": SPAN, "filteredAttributes": pairs}


def request(name: str, **data: Any) -> bytes:
    """A request in protobuf, out of OTLP/JSON."""
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": name, **data}]}]}]}
    return to_protobuf(json.dumps(body).encode(), ExportMetricsServiceRequest)


def histogram(*exemplars: dict[str, Any]) -> bytes:
    point = {
        "timeUnixNano": str(round(NOW * 1e9)),
        "count": "3",
        "sum": 6.0,
        "bucketCounts": ["1", "1", "1"],
        "explicitBounds": [1.0, 2.0],
        "attributes": [{"key": "route", "value": {"stringValue": "/pay"}}],
        "exemplars": list(exemplars),
    }
    return request("h", histogram={"aggregationTemporality": 2, "dataPoints": [point]})


def test_each_bucket_has_its_own_bounds_included() -> None:
    found = told(reader().read(histogram(*(exemplar(value) for value in (0.5, 1.0, 1.5, 2.0, 99.0)))).exemplars)
    assert [(name, value) for name, _, value, _ in found] == [
        ('h_bucket{le="1",route="/pay"}', 0.5),
        ('h_bucket{le="1",route="/pay"}', 1.0),
        ('h_bucket{le="2",route="/pay"}', 1.5),
        ('h_bucket{le="2",route="/pay"}', 2.0),
        ('h_bucket{le="+Inf",route="/pay"}', 99.0),
    ]
    assert found[0][3] == IDS


def test_sums_gauges_and_exponential_histograms_have_them_by_their_series() -> None:
    time = str(round(NOW * 1e9))
    point = {"timeUnixNano": time, "asInt": "5", "exemplars": [exemplar(5.0)]}
    drawn = {
        "timeUnixNano": time,
        "count": "1",
        "sum": 1.5,
        "scale": 3,
        "positive": {"offset": 4, "bucketCounts": ["1"]},
        "exemplars": [exemplar(1.5)],
    }
    one = reader()
    for data in (
        {"sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}},
        {"gauge": {"dataPoints": [point]}},
        {"exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [drawn]}},
    ):
        assert [(name, labels) for name, _, _, labels in told(one.read(request("m", **data)).exemplars)] == [("m", IDS)]


def test_attributes_that_were_filtered_are_kept_as_far_as_there_is_room() -> None:
    found = told(reader().read(histogram(exemplar(0.5, user="mira"), exemplar(0.6, long="x" * 300, user="mira"))).exemplars)
    assert [labels for *_, labels in found] == [(*IDS, ("user", "mira")), IDS]


def test_one_without_a_time_gets_that_of_its_arrival() -> None:
    one = exemplar(0.5) | {"timeUnixNano": "0"}
    assert told(reader().read(histogram(one)).exemplars)[0][1] == NOW


def test_where_nobody_keeps_them_they_are_not_read() -> None:
    assert reader(keeps=False).read(histogram(exemplar(0.5))).exemplars is None


def test_a_request_without_a_trace_in_it_is_not_looked_through() -> None:
    assert may_hold(histogram(exemplar(0.5)))
    assert not may_hold(histogram())
    assert reader().read(histogram()).exemplars is None


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    found = PointExemplars(Attributes(OtlpCounters()), NOW)
    space = KeySpace()
    number = space.add(series_key("a"), Kind.COUNTER)
    try:
        found.of_series(number, [data])
    except UnreadableError:
        return
    found.batch(space)


@given(st.floats(allow_nan=False), st.integers(0, 2**63), st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8))
def test_what_the_published_classes_write_is_read(value: float, time: int, trace: bytes, span: bytes) -> None:
    written = metrics_pb2.Exemplar(as_double=value, time_unix_nano=time, trace_id=trace, span_id=span).SerializeToString()
    found, space = PointExemplars(Attributes(OtlpCounters()), NOW), KeySpace()
    found.of_series(space.add(series_key("a"), Kind.COUNTER), [written])
    batch = found.batch(space)
    if not any(trace):
        assert batch is None
        return
    assert batch is not None
    assert (batch.values[0], batch.times[0]) == (value, pytest.approx(time / 1e9 or NOW))
    assert int(batch.traces[0, 0]) << 64 | int(batch.traces[0, 1]) == int.from_bytes(trace, "big")
    assert int(batch.spans[0]) == int.from_bytes(span, "big")
