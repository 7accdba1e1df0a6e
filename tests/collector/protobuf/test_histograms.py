"""Native histograms as messages: exactly what they were, as integers where that is possible."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from collector.protobuf.histograms import decode_histogram, encode_histogram
from collector.protobuf.wire import Budget, bytes_field, fields, number_field, packed, varints, zigzag, zigzags
from monitor.query.histogram import Buckets, Histogram
from tests.collector.protobuf.messages import facts, histograms


def numbers_in(message: bytes) -> set[int]:
    return {number for number, _, _, _ in fields(memoryview(message), Budget(1000))}


@given(histograms())
def test_a_histogram_comes_back_with_time_and_start(histogram: Histogram) -> None:
    time, found, start = decode_histogram(memoryview(encode_histogram(histogram, -5, 1234)), Budget(1000), 100)
    assert (time, start) == (-5, 1234)
    assert facts(found) == facts(histogram)


@given(histograms(whole=True))
def test_whole_counts_are_sent_as_integers(histogram: Histogram) -> None:
    assert numbers_in(encode_histogram(histogram, 1)) & {2, 7, 10, 13} == set()


def test_counts_with_fractions_are_sent_as_floats() -> None:
    buckets = Buckets(np.array([1], np.int32), np.array([2.5]))
    message = encode_histogram(Histogram.of(3, 2.5, 1.0, positive=buckets), 1)
    assert numbers_in(message) & {1, 6, 9, 12} == set()


def test_the_layout_of_spans_is_that_of_prometheus() -> None:
    # Buckets 1 to 3 and 6: offset 1, three of them, a gap of two, one. Counts 1, 3, 2, 5 as differences.
    spans = bytes_field(11, number_field(1, zigzag(1)) + number_field(2, 3))
    spans += bytes_field(11, number_field(1, zigzag(2)) + number_field(2, 1))
    deltas = packed(12, varints(zigzags(np.array([1, 2, -1, 3]))))
    _, found, _ = decode_histogram(memoryview(number_field(1, 11) + spans + deltas), Budget(100), 10)
    assert found.positive.indices.tolist() == [1, 2, 3, 6]
    assert found.positive.counts.tolist() == [1.0, 3.0, 2.0, 5.0]
    assert spans + deltas in encode_histogram(found, 0)
