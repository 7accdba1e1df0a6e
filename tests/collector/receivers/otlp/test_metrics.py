"""What metrics come to: readings, increments, gauges and distributions, and what is left out of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.collector.receivers.otlp.recording import Station, metrics_request, nano, pairs, run

DELTA, CUMULATIVE = 1, 2


def summed(scope: Any, name: str, temporality: int = CUMULATIVE, monotonic: bool = True, unit: str = "") -> Any:
    metric = scope.metrics.add(name=name, unit=unit)
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = temporality, monotonic
    return metric.sum.data_points


def send(station: Station, value: float, time: float, start: float | None = None, **more: Any) -> Any:
    """One point of the counter "hits"."""
    request, scope = metrics_request()
    temporality, monotonic = more.pop("temporality", CUMULATIVE), more.pop("monotonic", True)
    points = summed(scope, "hits", temporality, monotonic)
    points.add(
        as_double=value, time_unix_nano=nano(time), start_time_unix_nano=0 if start is None else nano(start),
        flags=more.pop("flags", 0), attributes=pairs(more)
    )  # fmt: skip
    return station.metrics(request)


def histogram(scope: Any, temporality: int, name: str = "took", unit: str = "s") -> Any:
    metric = scope.metrics.add(name=name, unit=unit)
    metric.histogram.aggregation_temporality = temporality
    return metric.histogram.data_points


def exponential(scope: Any, temporality: int) -> Any:
    metric = scope.metrics.add(name="took")
    metric.exponential_histogram.aggregation_temporality = temporality
    return metric.exponential_histogram.data_points


def test_tags_are_the_points_attributes_and_the_chosen_ones_of_the_resource() -> None:
    station = Station()
    request, scope = metrics_request(
        {"service.name": "shop", "deployment.environment": "test", "host.name": "web-1", "process.pid": 7, "os": "linux"}
    )
    metric = scope.metrics.add(name="depth", unit="By")
    metric.gauge.data_points.add(
        as_int=3, time_unix_nano=nano(1), attributes=pairs({"host": "mine", "on": True, "ratio": 0.5, "n": 4, "list": [1, "a"]})
    )
    station.metrics(request)
    assert station.got.gauges() == {
        'depth{env="test",host="mine",list="[1,"a"]",n="4",on="true",ratio="0.5",service="shop"}': [(1.0, 3.0)]
    }
    assert station.got.units() == {"depth": "bytes"}


def test_attributes_of_the_scope_are_tags_only_if_chosen() -> None:
    station = Station(attributes=("service.name", "otel.scope.name", "team"))
    request, scope = metrics_request({"service.name": "shop"})
    scope.scope.name = "lib"
    scope.scope.attributes.extend(pairs({"team": "blue", "other": 1}))
    scope.metrics.add(name="depth").gauge.data_points.add(as_double=1.5, time_unix_nano=nano(1))
    station.metrics(request)
    assert list(station.got.gauges()) == ['depth{otel.scope.name="lib",service="shop",team="blue"}']


def test_the_order_of_attributes_makes_no_other_series() -> None:
    station = Station()
    send(station, 5, 1, a="1", b="2")
    send(station, 8, 2, b="2", a="1")
    assert station.got.increments() == {'hits{a="1",b="2"}': [(2.0, 3.0)]}


def test_a_delta_sum_is_kept_as_its_running_total_that_begins_at_zero() -> None:
    station = Station()
    send(station, 5, 10, 0, temporality=DELTA)
    send(station, 2, 20, 10, temporality=DELTA)
    send(station, 1, 60, 50, temporality=DELTA)
    assert station.got.readings()["hits"] == [(0.0, 0.0), (10.0, 5.0), (20.0, 7.0), (50.0, 7.0), (60.0, 8.0)]
    assert station.got.increments()["hits"] == [(10.0, 5.0), (20.0, 2.0), (60.0, 1.0)]


def test_a_sum_that_may_fall_is_a_gauge() -> None:
    station = Station()
    send(station, 5, 10, monotonic=False)
    send(station, 3, 20, monotonic=False)
    send(station, 4, 10, 5, monotonic=False, temporality=DELTA, way="delta")
    send(station, -1, 20, 10, monotonic=False, temporality=DELTA, way="delta")
    assert station.got.gauges() == {
        "hits": [(10.0, 5.0), (20.0, 3.0)],
        'hits{way="delta"}': [(5.0, 0.0), (10.0, 4.0), (20.0, 3.0)],
    }
    assert station.got.readings() == {}


def test_no_recorded_value_ends_a_series() -> None:
    station = Station()
    send(station, 5, 10)
    send(station, 0, 20, flags=1)
    send(station, 9, 30)
    assert station.got.gauges() == {"hits": [(20.0, None)]}
    assert station.got.increments() == {}


def test_a_refused_request_counts_once_when_it_comes_again() -> None:
    station = Station()
    send(station, 5, 10, 0, temporality=DELTA)
    station.got.refusing = "the disk is full"
    with pytest.raises(Exception, match="the disk is full"):
        send(station, 2, 20, 10, temporality=DELTA)
    station.got.refusing = ""
    send(station, 2, 20, 10, temporality=DELTA)
    assert station.got.readings()["hits"][-1] == (20.0, 7.0)


def test_an_explicit_histogram_is_classic_counters_and_a_distribution() -> None:
    station = Station()
    for time, counts in ((10, [1, 2, 0]), (20, [1, 5, 4])):
        request, scope = metrics_request()
        histogram(scope, CUMULATIVE).add(
            bucket_counts=counts,
            explicit_bounds=[1, 2.5],
            count=sum(counts),
            sum=10.0 * time,
            time_unix_nano=nano(time),
            start_time_unix_nano=nano(-5000),
        )
        station.metrics(request)
    readings, increments = station.got.readings(), station.got.increments()
    assert readings['took_bucket{le="1"}'] == [(10.0, 1.0), (20.0, 1.0)]
    assert readings['took_bucket{le="2.5"}'] == [(10.0, 3.0), (20.0, 6.0)]
    assert readings['took_bucket{le="+Inf"}'] == [(10.0, 3.0), (20.0, 10.0)]
    assert readings["took_count"] == [(10.0, 3.0), (20.0, 10.0)]
    assert readings["took_sum"] == [(10.0, 100.0), (20.0, 200.0)]
    assert increments["took_count"] == [(20.0, 7.0)]
    assert increments['took_bucket{le="1"}'] == [(20.0, 0.0)]
    (first, second) = station.got.distributions()["took"]
    assert first == (10.0, 0.0, {})
    assert second[:2] == (20.0, 100.0)
    assert sum(second[2].values()) == 7
    assert station.got.units()["took_sum"] == "s"


def test_a_delta_histogram_adds_up() -> None:
    station = Station()
    for time in (10, 20):
        request, scope = metrics_request()
        histogram(scope, DELTA).add(
            bucket_counts=[1, 1], explicit_bounds=[1], count=2, sum=3, min=0.5, max=2,
            time_unix_nano=nano(time), start_time_unix_nano=nano(time - 10)
        )  # fmt: skip
        station.metrics(request)
    assert station.got.readings()["took_count"] == [(0.0, 0.0), (10.0, 2.0), (20.0, 4.0)]
    assert station.got.increments()["took_sum"] == [(10.0, 3.0), (20.0, 3.0)]
    assert [(time, total, sum(counts.values())) for time, total, counts in station.got.distributions()["took"]] == [
        (0.0, 0.0, 0),
        (10.0, 3.0, 2),
        (20.0, 3.0, 2),
    ]


def test_a_histogram_without_bounds_lies_at_its_mean() -> None:
    station = Station()
    request, scope = metrics_request()
    histogram(scope, DELTA).add(count=4, sum=8, time_unix_nano=nano(10), start_time_unix_nano=nano(9))
    station.metrics(request)
    assert station.got.distributions()["took"][-1][2] == {(1 << 17) + 63: 4.0}


def test_an_exponential_histogram_is_exact_where_its_scale_is_finer() -> None:
    station = Station()
    for time, counts in ((10, [4, 4]), (20, [5, 7])):
        request, scope = metrics_request()
        point = exponential(scope, CUMULATIVE).add(
            scale=7, zero_count=1, count=sum(counts) + 1, sum=time, time_unix_nano=nano(time), start_time_unix_nano=nano(-5000)
        )
        point.positive.offset = 2
        point.positive.bucket_counts.extend(counts)
        station.metrics(request)
    assert station.got.distributions()["took"] == [(10.0, 0.0, {}), (20.0, 10.0, {(1 << 17) + 1: 4.0})]


def test_a_summary_is_gauges_of_its_quantiles_and_two_counters() -> None:
    station = Station()
    for time in (10, 20):
        request, scope = metrics_request()
        point = scope.metrics.add(name="took", unit="ms").summary.data_points.add(
            count=time, sum=time * 2, time_unix_nano=nano(time)
        )
        point.quantile_values.add(quantile=0.5, value=3)
        point.quantile_values.add(quantile=1, value=9)
        station.metrics(request)
    assert station.got.gauges() == {
        'took{quantile="0.5"}': [(10.0, 3.0), (20.0, 3.0)],
        'took{quantile="1"}': [(10.0, 9.0), (20.0, 9.0)],
    }
    assert station.got.increments() == {"took_count": [(20.0, 10.0)], "took_sum": [(20.0, 20.0)]}


def test_what_cannot_be_read_is_left_out_with_its_reason_and_the_rest_is_taken() -> None:
    station = Station()
    request, scope = metrics_request()
    summed(scope, "up").add(as_double=math.nan, time_unix_nano=nano(1))
    summed(scope, "up").add(as_double=-1, time_unix_nano=nano(1))
    summed(scope, "up").add(time_unix_nano=nano(1))
    summed(scope, "up", temporality=0).add(as_double=1, time_unix_nano=nano(1))
    summed(scope, "x" * 300).add(as_double=1, time_unix_nano=nano(1))
    summed(scope, "up").add(as_double=7, time_unix_nano=nano(1))
    histogram(scope, DELTA).add(bucket_counts=[1], explicit_bounds=[1, 2], count=1)
    histogram(scope, DELTA).add(bucket_counts=[1, 2], explicit_bounds=[1], count=9)
    histogram(scope, DELTA).add(bucket_counts=[1, 0, 0], explicit_bounds=[2, 1], count=1)
    exponential(scope, DELTA).add(scale=40, count=0)
    told = station.metrics(request)
    assert told.rejected_data_points == 9
    for reason in ("not a finite number", "below 0", "without a value", "neither delta nor", "name", "do not rise", "add up"):
        assert reason in told.error_message
    assert station.got.readings() == {"up": [(1.0, 7.0)]}
    assert station.receiver.figures()["otlp_left_out_total"] == 9
    assert "left out" in station.receiver.notes()[0]


def test_long_and_many_attributes_are_cut_and_counted() -> None:
    station = Station()
    attributes: dict[str, Any] = {"k" * 200: "v" * 1000, **{f"a{number:02}": "x" for number in range(40)}}
    send(station, 1, 1, **attributes)
    (series,) = station.got.readings()
    assert "k" * 128 + '="' + "v" * 256 + '"' in series
    assert station.receiver.figures()["otlp_cut_total"] >= 11


def test_nested_values_have_a_depth() -> None:
    value: Any = "end"
    for _ in range(30):
        value = [value]
    station = Station()
    send(station, 1, 1, deep=value)
    assert "nested too deep" in next(iter(station.got.readings()))


def test_series_beyond_the_limit_begin_a_new_dictionary() -> None:
    station = Station(limit=3)
    for number in range(5):
        send(station, number, number + 1, host=f"h{number}")
    assert len(station.got.readings()) == 5
    assert station.receiver.figures()["otlp_dictionaries_total"] == 1


def test_a_request_brings_no_more_new_series_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.receivers.otlp.series.MOST_NEW_SERIES", 2)
    station = Station()
    request, scope = metrics_request()
    for number in range(5):
        scope.metrics.add(name=f"depth{number}").gauge.data_points.add(as_double=1, time_unix_nano=nano(1))
    told = station.metrics(request)
    assert (told.rejected_data_points, list(station.got.gauges())) == (3, ["depth0", "depth1"])
    assert "too many new series" in told.error_message
    assert station.metrics(request).rejected_data_points == 1


def test_points_without_a_time_are_of_now() -> None:
    station = Station(clock=1_700_000_000 + 3.5)
    request, scope = metrics_request()
    scope.metrics.add(name="depth").gauge.data_points.add(as_double=1)
    station.metrics(request)
    assert station.got.gauges() == {"depth": [(3.5, 1.0)]}


def test_requests_that_come_together_are_all_counted() -> None:
    import asyncio

    from collector.receivers.otlp.signals import METRICS

    station = Station()

    async def all_at_once() -> None:
        bodies = []
        for number in range(20):
            request, scope = metrics_request()
            summed(scope, "hits", DELTA).add(as_int=1, time_unix_nano=nano(number + 1), start_time_unix_nano=nano(number))
            bodies.append(request.SerializeToString())
        await asyncio.gather(*(station.receiver.take(METRICS, body) for body in bodies))

    run(all_at_once())
    assert station.got.readings()["hits"][-1][1] == 20
