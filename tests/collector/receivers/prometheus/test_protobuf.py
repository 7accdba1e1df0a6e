"""The parser of protobuf expositions: by statements, against the text parser, and against hostile bytes."""

from __future__ import annotations

import math
import random

import pytest

from collector.receivers.prometheus import ExpositionError, ExpositionLimits, LimitError
from collector.receivers.prometheus.exposition_parser import ExpositionParser
from collector.receivers.prometheus.protobuf import ProtobufParser
from monitor.model.series import Kind
from tests.collector.receivers.prometheus.expositions import reading_of
from tests.collector.receivers.prometheus.protobufs import (
    COUNTER,
    GAUGE,
    GAUGE_HISTOGRAM,
    HISTOGRAM,
    SUMMARY,
    UNTYPED,
    family,
    histogram,
    metric,
    native,
    summary,
    value,
)

WHOLE = b"".join(
    (
        family("r_total", COUNTER, metric(COUNTER, value(5), {"b": "2", "a": "1"}), metric(COUNTER, value(7), {"a": 'x"\n'})),
        family("my.gauge", GAUGE, metric(GAUGE, value(-math.inf), {"my.label": "ü"}, time=1500)),
        family("u", UNTYPED, metric(UNTYPED, value(1.5))),
        family("s", SUMMARY, metric(SUMMARY, summary(3, 4.5, {0.5: 1.0, 0.99: math.nan}), {"q": "w"})),
        family("h_seconds", HISTOGRAM, metric(HISTOGRAM, histogram(5, 2.5, {0.5: 1, 1.0: 3}), {"q": "w"})),
    )
)
SAME_AS_TEXT = b"""# TYPE r_total counter
r_total{b="2",a="1"} 5
r_total{a="x\\"\\n"} 7
# TYPE "my.gauge" gauge
{"my.gauge","my.label"="\xc3\xbc"} -Inf 1500
u 1.5
# TYPE s summary
s{q="w",quantile="0.5"} 1
s{q="w",quantile="0.99"} NaN
s_sum{q="w"} 4.5
s_count{q="w"} 3
# TYPE h_seconds histogram
h_seconds_bucket{q="w",le="0.5"} 1
h_seconds_bucket{q="w",le="1.0"} 3
h_seconds_bucket{q="w",le="+Inf"} 5
h_seconds_sum{q="w"} 2.5
h_seconds_count{q="w"} 5
"""


def test_families_become_the_series_that_text_names() -> None:
    parser, text = ProtobufParser(), ExpositionParser(openmetrics=False)
    assert reading_of(parser, parser.parse(WHOLE)) == reading_of(text, text.parse(SAME_AS_TEXT))
    assert {(of.name, of.labels, of.kind, of.unit) for of in parser.series} == {
        (of.name, of.labels, of.kind, of.unit) for of in text.series
    }


def test_an_unchanged_layout_keeps_its_ids() -> None:
    parser = ProtobufParser()
    assert parser.parse(WHOLE).ids is parser.parse(WHOLE).ids


def test_a_native_histogram_stands_under_the_name_of_its_family() -> None:
    parser = ProtobufParser()
    body = family(
        "h", HISTOGRAM, metric(HISTOGRAM, histogram(6, 9.0, {}, native(3, 1, [(-1, 2), (2, 1)], [2, -1, 1])), {"a": "1"})
    )
    samples = parser.parse(body)
    (found,) = samples.native
    assert parser.series[found.series][:3] == ("h", (("a", "1"),), Kind.DISTRIBUTION)
    assert (found.histogram.schema, found.histogram.count, found.histogram.sum, found.histogram.zero_count) == (3, 6.0, 9.0, 1.0)
    assert found.histogram.positive.indices.tolist() == [-1, 0, 3]
    assert found.histogram.positive.counts.tolist() == [2.0, 1.0, 2.0]
    assert {series.name for series in parser.series} == {"h", "h_sum", "h_count"}, "and has no classic buckets"


def test_gauge_histograms_are_gauges_and_no_distributions() -> None:
    parser = ProtobufParser()
    body = family("h", GAUGE_HISTOGRAM, metric(GAUGE_HISTOGRAM, histogram(6, 9.0, {1.0: 6}, native(3, 1, [(0, 1)], [5]))))
    assert parser.parse(body).native == ()
    assert {series.kind for series in parser.series} == {Kind.GAUGE}
    assert parser.gauge_histograms == 1


def test_of_a_series_that_stands_twice_the_first_counts() -> None:
    parser = ProtobufParser()
    samples = parser.parse(family("a", GAUGE, metric(GAUGE, value(1)), metric(GAUGE, value(2))))
    assert (samples.values.tolist(), samples.duplicates) == ([1.0], 1)


def test_a_changed_type_begins_a_new_generation() -> None:
    parser = ProtobufParser()
    parser.parse(family("a", GAUGE, metric(GAUGE, value(1))))
    parser.parse(family("a", COUNTER, metric(COUNTER, value(1))))
    assert parser.generation == 1
    assert parser.series[0].kind is Kind.COUNTER


@pytest.mark.parametrize(
    ("limits", "body"),
    [
        (ExpositionLimits(body_bytes=10), WHOLE),
        (ExpositionLimits(samples=2), WHOLE),
        (ExpositionLimits(labels=1), WHOLE),
        (ExpositionLimits(name_length=4), WHOLE),
        (ExpositionLimits(value_length=2), WHOLE),
    ],
)
def test_an_answer_over_a_limit_is_refused(limits: ExpositionLimits, body: bytes) -> None:
    with pytest.raises(ExpositionError) as caught:
        ProtobufParser(limits).parse(body)
    assert isinstance(caught.value, LimitError) or "fields than are allowed" in str(caught.value)


@pytest.mark.parametrize(
    "part",
    [
        native(3, 1, [(0, 1 << 40)], [1]),
        native(3, 1, [(0, 2), (-5, 1)], [1, 1, 1]),
        native(3, 1, [(0, 2)], [1]),
        native(3, 1, [(0, 2)], [1, -5]),
        native(99, 1, [(0, 1)], [1]),
        native(3, 1, [(1 << 30, 1)], [1]),
    ],
)
def test_a_native_histogram_that_cannot_be_is_refused(part: bytes) -> None:
    with pytest.raises(ExpositionError):
        ProtobufParser().parse(family("h", HISTOGRAM, metric(HISTOGRAM, histogram(1, 1.0, {}, part))))


def test_no_other_exception_escapes_broken_bytes() -> None:
    chance = random.Random(4)
    seed = WHOLE + family("n", HISTOGRAM, metric(HISTOGRAM, histogram(6, 9.0, {}, native(3, 1, [(-1, 2)], [2, -1]))))
    parser = ProtobufParser(ExpositionLimits(samples=50))
    refused = longest = 0
    for _ in range(4000):
        body = bytearray(seed)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        try:
            samples = parser.parse(bytes(body))
            assert len(samples.ids) == len(samples.values) == len(set(samples.ids.tolist()))
        except ExpositionError as error:
            refused += 1
            longest = max(longest, len(str(error)))
    assert 0 < refused < 4000
    assert longest < 600
    assert len(parser.series) <= 11_000
