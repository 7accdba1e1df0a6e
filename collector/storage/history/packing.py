"""From sorted samples to chunks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from collector.storage.history.chunk_table import HISTOGRAM, LAST, NewChunk
from collector.storage.history.codec import GROUP, Stay, pack_floats, pack_histograms
from collector.storage.history.columns import Columns, equal_times
from collector.storage.history.histograms import HistogramColumns, pack_columns
from collector.storage.history.pieces import Rows
from collector.storage.history.settings import RAW, WINDOW, span_of
from monitor.query.history import Millis, Values

_MOST_BINS = 1 << 20
"""Buckets of histograms in one chunk: what one read of a series may cost."""


def pack_run(columns: Columns, histograms: HistogramColumns | None) -> Iterator[NewChunk]:
    """Raw chunks of sorted samples, which may lie in any spans."""
    for group in equal_times(columns, WINDOW, GROUP):
        values: Values = columns.values.view(np.uint64)[group.places].view(np.float64)
        if histograms is None:
            yield float_chunk(RAW, LAST, span_of(RAW, int(group.times[0])), group.refs, group.times, values, Stay.MINUTES)
        else:
            taken = histograms.take(values.ravel().astype(np.int64))
            yield from histogram_chunks(RAW, span_of(RAW, int(group.times[0])), group.refs, group.times, taken)


def float_chunk(
    tier: int, field: int, span: int, refs: Rows, times: Millis, values: Values, stay: Stay = Stay.LASTING
) -> NewChunk:
    """One chunk: refs of one bucket, rising, and their values float64[S, T]."""
    data = pack_floats((refs % GROUP).astype(np.uint8), np.ascontiguousarray(values), stay)
    return NewChunk(tier, field, span, int(refs[0]) // GROUP, times, values.size, data)


def histogram_chunks(tier: int, span: int, refs: Rows, times: Millis, columns: HistogramColumns) -> Iterator[NewChunk]:
    """Refs of one bucket with T histograms each, row after row; several chunks where there are very many buckets."""
    per_series = max(1, len(columns.bins) // len(refs))
    at_once = max(1, _MOST_BINS // per_series)
    for begin in range(0, len(refs), at_once):
        some = refs[begin : begin + at_once]
        numbers = np.arange(begin * len(times), (begin + len(some)) * len(times))
        data = pack_histograms((some % GROUP).astype(np.uint8), pack_columns(columns.take(numbers)))
        yield NewChunk(tier, HISTOGRAM, span, int(some[0]) // GROUP, times, len(some) * len(times), data)
