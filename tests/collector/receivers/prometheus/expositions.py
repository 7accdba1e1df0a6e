"""Strategies that make expositions, and small helpers to read parsed ones."""

from __future__ import annotations

import math
from typing import NamedTuple

from hypothesis import strategies as st

from collector.receivers.prometheus.exposition_parser import Parser, Samples
from collector.receivers.prometheus.line import Labels

Reading = dict[tuple[str, Labels], tuple[str, float | None]]


class Row(NamedTuple):
    """One sample to be written."""

    name: str
    labels: dict[str, str]
    value: float
    timestamp: int | None


NAMES = st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", fullmatch=True)
LABEL_NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,5}", fullmatch=True)
# Line ends of other systems inside a value would split lines in the reference's reader.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), max_size=8)
VALUES = st.one_of(
    st.integers(-(2**53), 2**53).map(float),
    st.floats(allow_nan=False),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1e300]),
)
ROWS = st.builds(
    Row,
    NAMES,
    st.dictionaries(LABEL_NAMES, TEXTS, max_size=3),
    VALUES,
    st.one_of(st.none(), st.integers(-(10**12), 10**13)),
)


def number(value: float) -> str:
    """A value as the formats write it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)


def escaped(text: str) -> str:
    """A label's value as the formats write it."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def sample_line(row: Row) -> str:
    """A row in text format 0.0.4."""
    labels = ",".join(f'{name}="{escaped(value)}"' for name, value in row.labels.items())
    series = f"{row.name}{{{labels}}}" if row.labels else row.name
    timestamp = "" if row.timestamp is None else f" {row.timestamp}"
    return f"{series} {number(row.value)}{timestamp}"


def reading_of(parser: Parser, samples: Samples) -> Reading:
    """Values (as text, so that NaN equals itself) and times in seconds, by series."""
    times = samples.times.tolist() if samples.times is not None else [math.nan] * len(samples.ids)
    return {
        (parser.series[series].name, parser.series[series].labels): (number(value), None if math.isnan(time) else time)
        for series, value, time in zip(samples.ids.tolist(), samples.values.tolist(), times, strict=True)
    }
