"""Numbers round-trip and look as Go writes them."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.server.prometheus.numbers import go_float, go_floats, timestamp, timestamps


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.1"),
        (100.0, "100"),
        (-2.5, "-2.5"),
        (1e-6, "0.000001"),
        (9.5e-7, "9.5e-07"),
        (1e-7, "1e-07"),
        (1.5e-5, "0.000015"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (1.5e17, "150000000000000000"),
        (123456789012345680.0, "123456789012345680"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (-1.25e300, "-1.25e+300"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
    ],
)
def test_a_value_is_written_as_go_does(value: float, text: str) -> None:
    assert go_float(value) == text
    assert go_floats(np.array([value])) == [text.encode()]


@given(st.lists(st.floats(width=64), max_size=40))
def test_a_row_of_values_round_trips(values: list[float]) -> None:
    texts = go_floats(np.array(values, np.float64))
    assert [text.decode() for text in texts] == [go_float(value) for value in values]
    for text, value in zip(texts, values, strict=True):
        assert re.fullmatch(rb"-?\d+(\.\d+)?(e[+-]\d{2,})?|[+-]Inf|NaN", text)
        back = float(text)
        assert back == value or (math.isnan(back) and math.isnan(value))
        assert math.copysign(1, back) == math.copysign(1, value) or math.isnan(value)


@pytest.mark.parametrize(
    ("millis", "text"),
    [(0, "0"), (1000, "1"), (1435781430781, "1435781430.781"), (1100, "1.100"), (1001, "1.001"), (-500, "-0.500"), (-1000, "-1")],
)
def test_timestamps_are_seconds(millis: int, text: str) -> None:
    assert timestamp(millis) == text
    assert timestamps(np.array([millis], np.int64)) == [text.encode()]
