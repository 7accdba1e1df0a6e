"""Columns for tests, and samples written the slow way."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from collector.protobuf.columns import SeriesColumns
from collector.protobuf.wire import bytes_field, varint
from monitor.query.histogram import CUSTOM_SCHEMA, Buckets, Hint, Histogram
from monitor.query.history import STALE, Cells, Labels

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
LABELS = st.dictionaries(TEXTS, TEXTS, max_size=5).map(lambda found: tuple(sorted(found.items())))
TIMES = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(1_700_000_000_000, 1_800_000_000_000), st.integers(-300, 300))
FLOATS = st.one_of(st.floats(width=64), st.just(STALE))


@st.composite
def histograms(draw: st.DrawFn, *, whole: bool | None = None) -> Histogram:
    """Any native histogram; `whole`: with integer counts that add up."""
    whole = draw(st.booleans()) if whole is None else whole
    custom = draw(st.booleans())
    counts = st.integers(1, 2**40).map(float) if whole else st.floats(0.001, 1e12)
    bounds = sorted(draw(st.sets(st.floats(-1e6, 1e6), min_size=1, max_size=6))) if custom else []
    places = st.integers(0, len(bounds)) if custom else st.integers(-2000, 2000)
    filled = draw(st.dictionaries(places, counts, max_size=12))
    below = {} if custom else draw(st.dictionaries(places, counts, max_size=5))
    zero = 0.0 if custom else draw(counts)
    total = sum(filled.values()) + sum(below.values()) + zero
    return Histogram.of(
        CUSTOM_SCHEMA if custom else draw(st.integers(-4, 8)),
        total if whole else draw(st.floats(0, 1e15)),
        draw(st.floats(allow_nan=False, width=64)),
        zero_threshold=0.0 if custom else draw(st.floats(0, 1)),
        zero_count=zero,
        positive=_buckets(filled),
        negative=_buckets(below),
        custom_values=np.array(bounds),
        hint=draw(st.sampled_from(Hint)),
    )


def _buckets(filled: dict[int, float]) -> Buckets:
    places = sorted(filled)
    return Buckets(np.array(places, np.int32), np.array([filled[place] for place in places]))


@st.composite
def columns(draw: st.DrawFn, *, mixed: bool = True, starts: bool = False) -> SeriesColumns:
    """Series whose samples are in order of time; `mixed`: with histograms among them."""
    labels = tuple(draw(st.lists(LABELS, max_size=5)))
    sizes = [draw(st.integers(0, 20)) for _ in labels]
    times = [sorted(draw(st.lists(TIMES, min_size=size, max_size=size))) for size in sizes]
    count = sum(sizes)
    values = draw(st.lists(FLOATS, min_size=count, max_size=count))
    cells: Cells | None = None
    if mixed and count and draw(st.booleans()):
        cells = np.full(count, None, object)
        for place in draw(st.sets(st.integers(0, count - 1), max_size=3)):
            cells[place] = draw(histograms())
        cells = cells if any(cell is not None for cell in cells) else None
    began = draw(st.lists(st.integers(0, 2**45), min_size=count, max_size=count)) if starts else []
    return SeriesColumns(
        labels,
        np.array([0, *np.cumsum(sizes, dtype=np.int64)], np.int64),
        np.array([time for part in times for time in part], np.int64),
        np.array(values, np.float64),
        cells,
        np.array(began, np.int64) if any(began) else None,
    )


def told(found: SeriesColumns) -> list[tuple[Labels, list[tuple[Any, ...]]]]:
    """Every series with its samples, comparable: values by their bits, histograms by all they hold."""
    result = []
    for place, labels in enumerate(found.labels):
        rows = range(int(found.offsets[place]), int(found.offsets[place + 1]))
        result.append((labels, [_sample(found, row) for row in rows]))
    return result


def _sample(found: SeriesColumns, row: int) -> tuple[Any, ...]:
    start = 0 if found.starts is None else int(found.starts[row])
    cell = None if found.histograms is None else found.histograms[row]
    value: Any = struct.pack("<d", found.values[row]) if cell is None else facts(cell)
    return int(found.times[row]), value, start


def facts(histogram: Histogram) -> tuple[Any, ...]:
    """All that a histogram holds; an infinite or absent number compares as itself."""
    return (
        histogram.schema,
        histogram.count,
        histogram.sum,
        histogram.zero_threshold,
        histogram.zero_count,
        tuple(zip(histogram.positive.indices.tolist(), histogram.positive.counts.tolist(), strict=True)),
        tuple(zip(histogram.negative.indices.tolist(), histogram.negative.counts.tolist(), strict=True)),
        tuple(histogram.custom_values.tolist()),
        histogram.hint,
    )


def slow_samples(times: Sequence[int], values: Sequence[float], starts: Sequence[int] = ()) -> bytes:
    """Samples as fields of their series, each by itself."""
    made = b""
    for place, (time, value) in enumerate(zip(times, values, strict=True)):
        body = b"\x09" + struct.pack("<d", value) + b"\x10" + varint(time)
        if starts and starts[place]:
            body += b"\x18" + varint(starts[place])
        made += bytes_field(2, body)
    return made
