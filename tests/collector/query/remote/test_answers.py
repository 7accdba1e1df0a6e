"""What the API writes, the remote store's client reads back."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from collector.query.remote.answers import HistogramJson, answer_of, histogram_of, matrix_of
from collector.server.prometheus.answer_json import answer_json, histogram_json
from monitor.query.histogram import CUSTOM_SCHEMA, Buckets, Histogram
from monitor.query.history import Answer, Block, Matrix, QueryError
from tests.collector.server.prometheus.serving import labels

TIMES = np.arange(5, dtype=np.int64) * 1000 + 1_700_000_000_123


def written(answer: Answer) -> bytes:
    return b"".join(answer_json(answer))


@given(values=arrays.arrays(np.float64, (2, 5), elements=st.floats(width=64)), present=arrays.arrays(np.bool_, (2, 5)))
def test_a_matrix_comes_back(values: Any, present: Any) -> None:
    names = (labels("a", x="1"), labels("b"))
    found = matrix_of(written(Answer("matrix", Matrix(names, TIMES, values, present))), TIMES).matrix
    assert found is not None
    kept = [row for row in range(2) if present[row].any()]
    assert found.labels == tuple(names[row] for row in kept)
    for place, row in enumerate(kept):
        np.testing.assert_array_equal(found.present[place], present[row])
        np.testing.assert_array_equal(found.values[place][present[row]], values[row][present[row]])


def test_a_range_of_one_time_is_a_matrix_and_a_range_selector_is_not() -> None:
    block = Block((labels("a"),), TIMES[:1], np.array([[2.0]]))
    body = written(Answer("matrix", raw=(block,)))
    one = matrix_of(body, TIMES[:1])
    assert one.matrix is not None
    assert one.matrix.values.tolist() == [[2.0]]
    raw = answer_of(body, TIMES[:1])
    assert raw.matrix is None
    assert raw.raw[0].times.tolist() == TIMES[:1].tolist()


@pytest.mark.parametrize(("kind", "text"), [("scalar", "2.5"), ("string", "2.5")])
def test_scalars_and_texts(kind: str, text: str) -> None:
    body = f'{{"status":"success","data":{{"resultType":"{kind}","result":[1,"{text}"]}},"warnings":["w"],"infos":["i"]}}'
    answer = answer_of(body.encode(), TIMES[:1])
    assert (answer.kind, answer.warnings, answer.infos) == (kind, ("w",), ("i",))
    assert answer.text == text if kind == "string" else answer.matrix is not None and answer.matrix.values.tolist() == [[2.5]]


@st.composite
def histograms(draw: st.DrawFn) -> Histogram:
    schema = draw(st.integers(-4, 8))
    indices = st.lists(st.integers(-20, 20), unique=True, max_size=8).map(sorted)
    sides = []
    for _ in range(2):
        placed = draw(indices)
        counts = draw(st.lists(st.floats(0.5, 1e6), min_size=len(placed), max_size=len(placed)))
        sides.append(Buckets(np.array(placed, np.int32), np.array(counts, np.float64)))
    return Histogram.of(
        schema, 10.0, draw(st.floats(-1e6, 1e6)), zero_count=draw(st.floats(0, 9)), positive=sides[0], negative=sides[1]
    )


@given(histograms())
def test_a_native_histogram_comes_back(histogram: Histogram) -> None:
    found = histogram_of(msgspec.json.decode(histogram_json(histogram), type=HistogramJson))
    assert (found.count, found.sum, found.zero_count) == (histogram.count, histogram.sum, histogram.zero_count)
    told, expected = list(found.buckets()), list(histogram.buckets())
    assert [bucket.count for bucket in told] == [bucket.count for bucket in expected]
    np.testing.assert_allclose([b.upper for b in told], [b.upper for b in expected], rtol=1e-12)
    if any(len(side.indices) for side in (histogram.positive, histogram.negative)):
        np.testing.assert_allclose([b.lower for b in told], [b.lower for b in expected], rtol=1e-12)


def test_custom_bounds_come_back() -> None:
    bounds = np.array([0.1, 0.25, 3.0])
    filled = Buckets(np.array([1, 2, 3], np.int32), np.array([1.0, 2.0, 3.0]))
    histogram = Histogram.of(CUSTOM_SCHEMA, 6.0, 1.0, positive=filled, custom_values=bounds)
    found = histogram_of(msgspec.json.decode(histogram_json(histogram), type=HistogramJson))
    assert str(found) == str(histogram)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "cannot be read"),
        (b"[]", "cannot be read"),
        (b'{"status":"success"}', "says: an error without words"),
        (b'{"status":"error","errorType":"bad_data","error":"no"}', "says: no"),
        (b'{"status":"success","data":{"resultType":"tensor","result":[]}}', "not known"),
        (b'{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"x"]}]}}', "cannot be read"),
        (b'{"status":"success","data":{"resultType":"vector","result":[{"value":1}]}}', "cannot be read"),
    ],
)
def test_what_is_no_answer(body: bytes, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        answer_of(body, TIMES[:1])
