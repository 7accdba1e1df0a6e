"""Queries of distributions as a store with classic buckets understands them."""

from __future__ import annotations

import pytest

from collector.query.remote.classic import classic_form
from monitor.query.format import to_text
from monitor.query.parse import parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("histogram_quantile(0.9, rate(latency[5m]))", "histogram_quantile(0.9, rate(latency_bucket[5m]))"),
        (
            'histogram_quantile(0.9, sum by (job) (rate(latency{host="a"}[5m]))) * 1000',
            'histogram_quantile(0.9, sum by (job, le) (rate(latency_bucket{host="a"}[5m]))) * 1000',
        ),
        (
            "histogram_quantile(0.9, sum without (host) (increase(latency[5m] offset 1h)))",
            "histogram_quantile(0.9, sum without (host) (increase(latency_bucket[5m] offset 1h)))",
        ),
        ("histogram_quantile(0.9, sum(rate(latency[5m])))", "histogram_quantile(0.9, sum by (le) (rate(latency_bucket[5m])))"),
        ("histogram_count(rate(latency[5m]))", "(rate(latency_count[5m]))"),
        ("sum(histogram_sum(increase(latency[5m])))", "sum((increase(latency_sum[5m])))"),
        ("histogram_avg(rate(latency[5m]))", "(rate(latency_sum[5m]) / rate(latency_count[5m]))"),
        (
            "max_over_time(histogram_quantile(0.5, rate(latency[1m]))[1h:1m])",
            "max_over_time(histogram_quantile(0.5, rate(latency_bucket[1m]))[1h:1m])",
        ),
    ],
)
def test_quantiles_counts_and_sums_are_those_of_the_classic_series(text: str, expected: str) -> None:
    assert to_text(classic_form(parse(text), lambda name: name == "latency")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "rate(latency[5m])",
        "histogram_quantile(0.9, rate(requests_bucket[5m]))",
        "histogram_quantile(0.9, rate(other[5m]))",
        'histogram_quantile(0.9, rate({__name__=~"lat.*"}[5m]))',
        "histogram_fraction(0, 1, rate(latency[5m]))",
        "sum(rate(requests[5m])) / 2 > 1",
        "histogram_quantile(0.9, max by (job) (rate(latency[5m])))",
    ],
)
def test_what_has_no_such_form_is_asked_as_it_is(text: str) -> None:
    assert to_text(classic_form(parse(text), lambda name: name == "latency")) == text
