"""Answers as JSON: every point where it is, none where there is none."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from collector.server.prometheus.answer_json import answer_json, histogram_json
from collector.server.prometheus.numbers import go_float
from monitor.query.histogram import CUSTOM_SCHEMA, Buckets, Histogram
from monitor.query.history import STALE_BITS, Answer, Block, Matrix
from tests.collector.server.prometheus.serving import labels


def data_of(answer: Answer) -> Any:
    envelope = msgspec.json.decode(b"".join(answer_json(answer)))
    assert envelope["status"] == "success"
    assert envelope["data"]["resultType"] == answer.kind
    return envelope["data"]["result"]


@given(
    values=arrays.arrays(np.float64, (3, 7), elements=st.floats(width=64)),
    present=arrays.arrays(np.bool_, (3, 7)),
    start=st.integers(0, 1 << 41),
)
def test_a_matrix_has_the_points_that_are_there(values: Any, present: Any, start: int) -> None:
    times = start + np.arange(7, dtype=np.int64) * 1001
    names = tuple(labels(f"m{row}", path='a"b\\\n') for row in range(3))
    found = data_of(Answer("matrix", Matrix(names, times, values, present)))
    expected = [
        {
            "metric": dict(names[row]),
            "values": [[times[at] / 1000, go_float(float(values[row, at]))] for at in range(7) if present[row, at]],
        }
        for row in range(3)
        if present[row].any()
    ]
    assert found == expected


def test_histograms_stand_beside_values() -> None:
    drawn = Histogram.of(0, 3.0, 4.5, positive=Buckets(np.array([1], np.int32), np.array([3.0])))
    cells = np.array([[None, drawn, None]], object)
    present = np.array([[True, True, False]])
    matrix = Matrix((labels("m"),), np.array([1000, 2000, 3000]), np.array([[1.0, 0.0, 0.0]]), present, cells)
    assert data_of(Answer("matrix", matrix)) == [
        {
            "metric": {"__name__": "m"},
            "values": [[1, "1"]],
            "histograms": [[2, {"count": "3", "sum": "4.5", "buckets": [[0, "1", "2", "3"]]}]],
        }
    ]
    vector = Matrix(matrix.labels, np.array([2000]), matrix.values[:, 1:2], present[:, 1:2], cells[:, 1:2])
    assert data_of(Answer("vector", vector)) == [
        {"metric": {"__name__": "m"}, "histogram": [2, {"count": "3", "sum": "4.5", "buckets": [[0, "1", "2", "3"]]}]}
    ]


def test_bounds_of_buckets_say_which_side_is_open() -> None:
    drawn = Histogram.of(
        0,
        9.0,
        1.0,
        zero_threshold=0.5,
        zero_count=2.0,
        positive=Buckets(np.array([1], np.int32), np.array([3.0])),
        negative=Buckets(np.array([1], np.int32), np.array([4.0])),
    )
    assert msgspec.json.decode(histogram_json(drawn))["buckets"] == [
        [1, "-2", "-1", "4"],
        [3, "-0.5", "0.5", "2"],
        [0, "1", "2", "3"],
    ]
    custom = Histogram.of(
        CUSTOM_SCHEMA, 1.0, 1.0, positive=Buckets(np.array([1], np.int32), np.array([1.0])), custom_values=np.array([0.5, 2.0])
    )
    assert msgspec.json.decode(histogram_json(custom))["buckets"] == [[0, "0.5", "2", "1"]]


def test_an_empty_histogram_has_no_buckets() -> None:
    assert msgspec.json.decode(histogram_json(Histogram.of())) == {"count": "0", "sum": "0"}


def test_a_raw_answer_leaves_staleness_markers_out() -> None:
    values = np.array([[1.0, 2.0]])
    values.view(np.uint64)[0, 1] = STALE_BITS
    block = Block((labels("m"),), np.array([1000, 2000]), values)
    assert data_of(Answer("matrix", raw=(block,))) == [{"metric": {"__name__": "m"}, "values": [[1, "1"]]}]


def test_nothing_is_an_empty_list() -> None:
    nothing = Matrix((), np.array([1000]), np.empty((0, 1)), np.empty((0, 1), np.bool_))
    assert data_of(Answer("vector", nothing)) == []
    assert data_of(Answer("matrix", nothing)) == []
    assert data_of(Answer("matrix")) == []


def test_notes_come_after_the_data() -> None:
    answer = Answer("scalar", Matrix(((),), np.array([0]), np.array([[2.0]]), np.array([[True]])), warnings=("w",), infos=("i",))
    envelope = msgspec.json.decode(b"".join(answer_json(answer, ("cut",), {"samples": {}})))
    assert envelope["data"] == {"resultType": "scalar", "result": [0, "2"], "stats": {"samples": {}}}
    assert envelope["warnings"] == ["w", "cut"]
    assert envelope["infos"] == ["i"]
