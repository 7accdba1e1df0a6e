"""Explicit histograms, many at once, come to what they come to one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, HistogramDataPoint

from collector.protobuf.wire import bytes_field, varint
from collector.receivers.otlp.attributes import Attributes
from collector.receivers.otlp.counters import OtlpCounters
from collector.receivers.otlp.limits import MOST_OF_ONE
from collector.receivers.otlp.metrics import MetricsReader, MetricsTaken
from collector.receivers.otlp.names import TagNames
from collector.receivers.otlp.schema import UnreadableError
from collector.receivers.otlp.series import MetricSeries
from monitor.model.batch import Batch, HistogramBatch
from tests.collector.receivers.otlp.histogram_reference import Classic, Drawn, Point, Reference

SINCE = 100.0
DELTA, CUMULATIVE = (
    AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA,
    AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE,
)
BOUNDS: tuple[tuple[float, ...], ...] = ((), (1.0,), (-2.0, 0.0, 3.0), (0.0, 0.5, 8.0), (0.005, 0.01, 2.5))
TIMES = st.integers(95, 130).map(float)


@st.composite
def points(draw: st.DrawFn) -> Point:
    name = draw(st.sampled_from("abc"))
    # A histogram of one name has one set of bounds here, and is either told with its sum or without.
    bounds = BOUNDS[("abc".index(name) + draw(st.integers(0, 1)) * 3) % 5]
    counts = tuple(draw(st.lists(st.integers(0, 40), min_size=len(bounds) + 1, max_size=len(bounds) + 1)))
    summed = float(draw(st.integers(-50, 50))) if name != "b" else None
    low, high = sorted((draw(st.floats(-3, 12)), draw(st.floats(-3, 12))))
    told = draw(st.booleans())
    return Point(
        name + "".join(map(str, bounds)),
        bounds,
        counts,
        summed,
        draw(TIMES),
        draw(st.one_of(st.just(0.0), TIMES)),
        False,
        low if told else None,
        high if told and draw(st.booleans()) else None,
    )


def reader() -> MetricsReader:
    counters = OtlpCounters()
    return MetricsReader(MetricSeries(Attributes(counters), TagNames((), counters), 10_000, SINCE), lambda: 1000.0)


def request_of(all_points: Sequence[Point]) -> bytes:
    """Each point a metric of its own."""
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for point in all_points:
        metric = scope.metrics.add(name=point.name)
        metric.histogram.aggregation_temporality = DELTA if point.delta else CUMULATIVE
        made = metric.histogram.data_points.add(
            time_unix_nano=round(point.time * 1e9),
            start_time_unix_nano=round(point.start * 1e9),
            explicit_bounds=point.bounds,
            bucket_counts=point.counts,
            count=sum(point.counts),
            flags=int(point.ended),
        )
        for name, value in (("sum", point.sum), ("min", point.low), ("max", point.high)):
            if value is not None:
                setattr(made, name, value)
    return request.SerializeToString()


def told(taken: MetricsTaken) -> tuple[Classic, Classic, Drawn]:
    """Readings, increments and distributions, as the reference has them."""
    readings: Classic = defaultdict(list)
    increments: Classic = defaultdict(list)
    drawn: Drawn = {}
    for batch in taken.batches:
        if isinstance(batch, HistogramBatch):
            assert batch.times.tolist() == sorted(batch.times.tolist())
            for place, series in enumerate(batch.ids.tolist()):
                some = slice(batch.offsets[place], batch.offsets[place + 1])
                bins = batch.bins[some].tolist()
                assert bins == sorted(set(bins))
                key = batch.space.keys[series].name, float(batch.times[place])
                if key not in drawn or bins:
                    drawn[key] = float(batch.sums[place]), dict(zip(bins, batch.counts[some].tolist(), strict=True))
        elif isinstance(batch, Batch):
            into = increments if not batch.raw else readings
            for series, value, time in zip(batch.ids.tolist(), batch.values.tolist(), batch.times.tolist(), strict=True):
                key_of = batch.space.keys[series]
                name, _, kind = key_of.name.rpartition("_")
                into[f"{name} {dict(key_of.tags).get('le', kind)}"].append((time, value))
    return readings, increments, drawn


def same(found: tuple[Classic, Classic, Drawn], wanted: tuple[Classic, Classic, Drawn]) -> None:
    """Of each series in the same order."""
    assert found == wanted


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(points(), min_size=1, max_size=6, unique_by=lambda point: (point.name, point.time)), max_size=4))
def test_cumulative_points_come_to_what_the_reference_says(requests: list[list[Point]]) -> None:
    fast, slow = reader(), Reference(SINCE)
    for each in requests:
        same(told(fast.read(request_of(each))), slow.take(each))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(points(), min_size=1, max_size=6, unique_by=lambda point: (point.name, point.time)), max_size=4))
def test_delta_points_come_to_what_the_reference_says(requests: list[list[Point]]) -> None:
    fast, slow = reader(), Reference(SINCE)
    for each in requests:
        deltas = [Point(**{**vars(point), "delta": True}) for point in each]
        same(told(fast.read(request_of(deltas))), slow.take(deltas))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.lists(st.tuples(points(), st.booleans()), min_size=1, max_size=5, unique_by=lambda pair: pair[0].time), max_size=4
    )
)
def test_what_ended_begins_anew(requests: list[list[tuple[Point, bool]]]) -> None:
    fast, slow = reader(), Reference(SINCE)
    for each in requests:
        all_points = [Point(**{**vars(point), "ended": ended}) for point, ended in each]
        # What ends before it is known of only as a name tells nothing.
        known = {stream[0] for stream in slow.streams}
        all_points = [point for point in all_points if not point.ended or point.name in known]
        readings, increments, drawn = told(fast.read(request_of(all_points)))
        readings = {name: [(time, value) for time, value in each if value == value] for name, each in readings.items() if name}
        same(({name: each for name, each in readings.items() if each}, increments, drawn), slow.take(all_points))


@settings(deadline=None, max_examples=25)
@given(st.lists(points(), min_size=1, max_size=6), st.lists(points(), min_size=1, max_size=6))
def test_what_was_taken_back_comes_again_as_if_for_the_first_time(first: list[Point], again: list[Point]) -> None:
    fast, plain = reader(), reader()
    fast.read(request_of(first))
    plain.read(request_of(first))
    assert fast.read(request_of(again)).undo() == 0
    same(told(fast.read(request_of(again))), told(plain.read(request_of(again))))


def test_what_another_request_built_upon_is_not_taken_back_and_is_counted() -> None:
    one = reader()
    first = one.read(request_of([cumulative(1, 110.0)]))
    one.read(request_of([cumulative(3, 120.0)]))
    assert first.undo() == 1
    assert told(one.read(request_of([cumulative(4, 130.0)])))[1]["a count"] == [(130.0, 2.0)]


def cumulative(count: int, time: float) -> Point:
    return Point("a", (1.0,), (count, count), float(count), time, 50.0)


def number(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 1) + data


@pytest.mark.parametrize("way", ["packed", "in parts", "each by itself"])
def test_numbers_may_be_packed_as_a_whole_in_parts_or_not_at_all(way: str) -> None:
    counts = [each.to_bytes(8, "little") for each in (3, 5)]
    bound = HistogramDataPoint(explicit_bounds=[2.5]).SerializeToString()[-8:]
    packed = {
        "packed": bytes_field(6, b"".join(counts)) + bytes_field(7, bound),
        "in parts": bytes_field(6, counts[0]) + bytes_field(6, counts[1]) + bytes_field(7, bound),
        "each by itself": number(6, counts[0]) + number(6, counts[1]) + number(7, bound),
    }[way]
    point = number(3, (120 * 10**9).to_bytes(8, "little")) + number(4, (8).to_bytes(8, "little")) + packed
    histogram = bytes_field(1, point) + varint(2 << 3) + varint(2)
    metric = bytes_field(1, b"a") + bytes_field(9, histogram)
    body = bytes_field(1, bytes_field(2, bytes_field(2, metric)))
    assert ExportMetricsServiceRequest.FromString(body).resource_metrics[0].scope_metrics[0].metrics[0].name == "a"
    readings, _, _ = told(reader().read(body))
    assert readings == {"a 2.5": [(120.0, 3.0)], "a +Inf": [(120.0, 8.0)], "a count": [(120.0, 8.0)]}


def test_numbers_that_are_cut_off_make_the_request_unreadable() -> None:
    metric = bytes_field(1, b"a") + bytes_field(9, bytes_field(1, bytes_field(6, b"short")) + varint(2 << 3) + varint(2))
    with pytest.raises(UnreadableError):
        reader().read(bytes_field(1, bytes_field(2, bytes_field(2, metric))))


def test_counts_that_come_round_to_their_count_in_64_bits_do_not_add_up() -> None:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="a")
    metric.histogram.aggregation_temporality = CUMULATIVE
    metric.histogram.data_points.add(explicit_bounds=[1.0], bucket_counts=[1 << 63, 1 << 63], count=0, time_unix_nano=1)
    taken = reader().read(request.SerializeToString())
    assert taken.left_out.told() == "1 left out: a histogram whose buckets do not add up to its count"
    assert not taken.batches


def test_the_points_of_one_histogram_in_one_request_have_a_bound() -> None:
    many = [cumulative(count, 110.0 + count) for count in range(MOST_OF_ONE + 5)]
    taken = reader().read(request_of(many))
    assert taken.left_out.told() == f"5 left out: more than {MOST_OF_ONE} points of one histogram in one request"
    assert len(told(taken)[0]["a count"]) == MOST_OF_ONE


def test_a_bound_of_minus_zero_is_the_same_as_one_of_zero() -> None:
    one = reader()
    one.read(request_of([Point("a", (0.0,), (1, 1), 1.0, 110.0)]))
    found = told(one.read(request_of([Point("a", (-0.0,), (2, 3), 1.0, 120.0)])))
    assert found[1]["a 0"] == [(120.0, 1.0)]
