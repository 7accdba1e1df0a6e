"""What messages of remote read and write hold, as columns: the samples of many series, those of one series side by side."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from collector.protobuf.histograms import histogram_record
from collector.protobuf.samples import sample_records
from collector.protobuf.wire import Longs, ProtobufError
from monitor.query.history import Block, Cells, Labels, Metadata, Millis, Values


class MessageBounds(msgspec.Struct, frozen=True):
    """What one message may hold. `labels` of one series, `buckets` of one histogram, `fields` of all messages in it."""

    series: int = 200_000
    samples: int = 5_000_000
    labels: int = 128
    symbols: int = 1_000_000
    buckets: int = 20_000
    fields: int = 20_000_000
    queries: int = 32
    matchers: int = 100


DEFAULT_BOUNDS = MessageBounds()


@dataclass(frozen=True, slots=True, eq=False)
class SeriesColumns:
    """S series with N samples in all: series i has those at offsets[i]:offsets[i + 1].

    `offsets` int64[S + 1], `times` int64[N] milliseconds, `values` float64[N], staleness markers with their bits. `histograms`
    object[N] of `Histogram` or None, None when no sample is one; where it is, the float means nothing. `starts` int64[N]: start
    timestamps, 0 where unknown, None when all are. `metadata` by metric name.
    """

    labels: tuple[Labels, ...]
    offsets: Longs
    times: Millis
    values: Values
    histograms: Cells | None = None
    starts: Millis | None = None
    metadata: Mapping[str, Metadata] = field(default_factory=dict)


def columns_of(blocks: Iterable[Block]) -> SeriesColumns:
    """A selection's samples, series sorted by their labels."""
    parts = [_of_block(block) for block in blocks]
    if not parts:
        return SeriesColumns((), np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0))
    labels = [each for part in parts for each in part.labels]
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    times, values = np.concatenate([part.times for part in parts]), np.concatenate([part.values for part in parts])
    cells = starts = None
    if any(part.histograms is not None for part in parts):
        cells = np.concatenate([np.full(len(p.times), None, object) if p.histograms is None else p.histograms for p in parts])
    if any(part.starts is not None for part in parts):
        starts = np.concatenate([np.zeros(len(p.times), np.int64) if p.starts is None else p.starts for p in parts])
    order = sorted(range(len(labels)), key=labels.__getitem__)
    if order == list(range(len(labels))):
        return SeriesColumns(tuple(labels), _offsets(sizes), times, values, cells, starts)
    begins = np.concatenate(([0], np.cumsum(sizes)[:-1]))[order]
    sizes = sizes[order]
    offsets = _offsets(sizes)
    at = np.arange(len(times)) + np.repeat(begins - offsets[:-1], sizes)
    return SeriesColumns(
        tuple(labels[place] for place in order),
        offsets,
        times[at],
        values[at],
        None if cells is None else cells[at],
        None if starts is None else starts[at],
    )


def _offsets(sizes: Longs) -> Longs:
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)


def _of_block(block: Block) -> SeriesColumns:
    count = len(block.labels)
    kept = np.ones((count, len(block.times)), np.bool_) if block.present is None else block.present
    times = np.broadcast_to(block.times, kept.shape)[kept]
    return SeriesColumns(
        block.labels,
        _offsets(kept.sum(axis=1)),
        times,
        block.values[kept],
        None if block.histograms is None else block.histograms[kept],
        None if block.starts is None else block.starts[kept],
    )


def series_records(
    columns: SeriesColumns, sample_field: int, histogram_field: int, with_starts: bool
) -> list[tuple[bytes, bytes]]:
    """Of each series the encoded fields of its samples and of its histograms; start timestamps where the message has them."""
    starts = columns.starts if with_starts else None
    cells = columns.histograms
    if cells is None:
        records, at = sample_records(columns.times, columns.values, starts, sample_field)
        edges = at[columns.offsets].tolist()
        return [(records[begin:end], b"") for begin, end in itertools.pairwise(edges)]
    floats = np.array([cell is None for cell in cells], np.bool_)
    records, at = sample_records(
        columns.times[floats], columns.values[floats], None if starts is None else starts[floats], sample_field
    )
    edges = at[np.concatenate(([0], np.cumsum(floats)))[columns.offsets]].tolist()
    made: list[tuple[bytes, bytes]] = []
    for place, (begin, end) in enumerate(itertools.pairwise(edges)):
        first, last = int(columns.offsets[place]), int(columns.offsets[place + 1])
        # A histogram is a message of its own, so this is a step a histogram.
        drawn = b"".join(
            histogram_record(cells[n], int(columns.times[n]), histogram_field, 0 if starts is None else int(starts[n]))
            for n in (first + np.flatnonzero(~floats[first:last])).tolist()
        )
        made.append((records[begin:end], drawn))
    return made


def checked_labels(pairs: Sequence[tuple[str, str]]) -> Labels:
    """Labels as a history has them: sorted, no empty values. Raises `ProtobufError` where a name is empty or comes twice."""
    labels = tuple(sorted(pair for pair in pairs if pair[1]))
    names = [name for name, _ in labels]
    if "" in names:
        raise ProtobufError("a label has no name")
    if len(set(names)) != len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ProtobufError(f"the label {twice[:60]!r} comes twice in a series")
    return labels
