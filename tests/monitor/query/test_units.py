"""What unit the values of a query have."""

from __future__ import annotations

import pytest

from monitor.query.ast import Selector
from monitor.query.parse import parse
from monitor.query.units import PLAIN, Quantity, infer, unit_text

LATENCY = Quantity.of("count", inside=Quantity.of("s"))
KNOWN = {
    "requests_total": PLAIN,
    "errors_total": PLAIN,
    "sent_bytes_total": Quantity.of("bytes"),
    "cpu_seconds_total": Quantity.of("s"),
    "latency": LATENCY,
    "latency_sum": Quantity.of("s"),
    "latency_count": PLAIN,
    "latency_ms": Quantity.of("s", scale=1000.0),
    "memory_bytes": Quantity.of("bytes"),
    "memory_limit_bytes": Quantity.of("bytes"),
    "busy": Quantity.of("percent"),
    "temperature": Quantity.of("°C"),
}


def metric(selector: Selector) -> Quantity | None:
    return KNOWN.get(selector.name)


def found(text: str) -> Quantity | None:
    return infer(parse(text), metric)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("memory_bytes", "bytes"),
        ("rate(sent_bytes_total[5m])", "bytes/s"),
        ("sum by (host) (rate(sent_bytes_total[5m]))", "bytes/s"),
        ("rate(requests_total[1m])", "/s"),
        ("increase(requests_total[1h])", ""),
        ("increase(sent_bytes_total[1h])", "bytes"),
        ("histogram_quantile(0.99, rate(latency[5m]))", "s"),
        ("histogram_quantile(0.99, sum(rate(latency[5m])))", "s"),
        ("histogram_avg(rate(latency[5m]))", "s"),
        ("histogram_count(rate(latency[5m]))", "/s"),
        ("histogram_sum(rate(latency[5m]))", "s/s"),
        ("histogram_fraction(0, 0.1, rate(latency[5m]))", "ratio"),
        ("rate(latency_sum[5m]) / rate(latency_count[5m])", "s"),
        ("rate(cpu_seconds_total[5m])", "s/s"),
        ("sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))", "ratio"),
        ("memory_bytes / memory_limit_bytes", "ratio"),
        ("rate(sent_bytes_total[5m]) * 8", "bits/s"),
        ("rate(sent_bytes_total[5m]) / rate(requests_total[5m])", "bytes"),
        ("time() - timestamp(busy)", "s"),
        ("avg_over_time(busy[5m]) > 90", "%"),
        ("90 < busy", "%"),
        ("busy > bool 90", ""),
        ("count(memory_bytes)", ""),
        ("max_over_time(rate(sent_bytes_total[1m])[1h:1m])", "bytes/s"),
        ("deriv(temperature[10m])", "°C/s"),
        ("topk(5, memory_bytes)", "bytes"),
        ("quantile_over_time(0.9, memory_bytes[1h])", "bytes"),
        ("memory_bytes or memory_limit_bytes", "bytes"),
        ("-memory_bytes + 5", "bytes"),
        ("5m", "s"),
    ],
)
def test_the_unit_goes_through_what_is_done_to_a_metric(text: str, unit: str) -> None:
    assert unit_text(found(text)) == unit


@pytest.mark.parametrize(
    "text",
    [
        "nobody_knows",
        "memory_bytes + busy",
        "memory_bytes ^ 2",
        "ln(memory_bytes)",
        "stdvar_over_time(memory_bytes[5m])",
        "memory_bytes * nobody_knows",
        "memory_bytes or busy",
        "histogram_quantile(0.9, memory_bytes)",
        "1 + 2",
        "memory_bytes atan2 busy",
    ],
)
def test_what_makes_a_unit_unknown_leaves_none(text: str) -> None:
    assert found(text) is None


def test_a_scaled_value_still_says_what_it_is() -> None:
    assert found("latency_ms") == Quantity.of("s", scale=1000.0)
    assert found("latency_sum * 1000") == Quantity.of("s", scale=1000.0)
    assert found("memory_bytes / 1024 / 1024") == Quantity.of("bytes", scale=1 / 1024**2)
    assert found("memory_bytes / (1024 * 1024)") == Quantity.of("bytes", scale=1 / 1024**2)
    share = found("100 * memory_bytes / memory_limit_bytes")
    assert share is not None
    assert (share.powers, share.scale) == ((), 100.0)
    assert found("latency_ms + latency_sum") is None


def test_a_histogram_keeps_what_it_observed_through_rates_and_sums() -> None:
    rates = found("sum by (service) (rate(latency[5m]))")
    assert rates is not None
    assert rates.inside == Quantity.of("s")
    assert unit_text(rates) == "/s"
