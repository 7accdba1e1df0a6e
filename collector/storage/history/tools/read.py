"""Goes through all samples of some series, series by series, with a bound on what is in memory at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from collector.storage.history.store import HistoryStore
from monitor.model.matchers import NAME_TAG, Matcher
from monitor.query.history import Block, Hints, Labels, QueryError, TooManySamplesError

MOST_SAMPLES = 2_000_000
"""That are decoded at once: 16 MB of values."""


def series_blocks(store: HistoryStore, matchers: Sequence[Matcher], start: int, end: int) -> Iterator[tuple[Labels, Block]]:
    """Labels and samples (a block of that one series) in [start, end], milliseconds: all of a series one after the other, the
    series of a metric too. Longer series come in several blocks, rising in time.
    """
    for name in sorted({dict(labels).get(NAME_TAG, "") for labels in store.series(matchers, start, end)}):
        mine = [*matchers, Matcher(NAME_TAG, "=", name)]
        blocks = _at_once(store, mine, start, end)
        if blocks is not None:
            yield from _sorted(blocks, name)
            continue
        for labels in store.series(mine, start, end):
            if dict(labels).get(NAME_TAG, "") == name:
                yield from _series(store, labels, start, end)


def _sorted(blocks: Sequence[Block], name: str) -> Iterator[tuple[Labels, Block]]:
    rows = [(labels, block, row) for block in blocks for row, labels in enumerate(block.labels)]
    for labels, block, row in sorted(rows, key=lambda each: each[0]):
        if dict(labels).get(NAME_TAG, "") == name:  # and not one of the same spelling
            yield labels, _row(labels, block, row)


def _row(labels: Labels, block: Block, row: int) -> Block:
    """One series of a block, with the times at which it has samples."""
    values = block.values[row : row + 1]
    cells = block.histograms[row : row + 1] if block.histograms is not None else None
    if block.present is None or block.present[row].all():
        return Block((labels,), block.times, values, None, cells)
    held = np.flatnonzero(block.present[row])
    bits = values.view(np.uint64)[:, held].view(np.float64)
    return Block((labels,), block.times[held], bits, None, cells[:, held] if cells is not None else None)


def _series(store: HistoryStore, labels: Labels, start: int, end: int) -> Iterator[tuple[Labels, Block]]:
    """One series in as few pieces as fit: the time is halved where there are too many samples."""
    matchers = [Matcher(name, "=", value) for name, value in labels]
    spans = [(start, end)]
    while spans:
        first, last = spans.pop()
        blocks = _at_once(store, matchers, first, last)
        if blocks is not None:
            mine = ((block, row) for block in blocks for row, each in enumerate(block.labels) if each == labels)
            yield from ((labels, _row(labels, block, row)) for block, row in mine)
        elif last > first:
            middle = (first + last) // 2
            spans += [(middle + 1, last), (first, middle)]
        else:
            raise QueryError("more samples than can be read at once stand at one moment")


def _at_once(store: HistoryStore, matchers: Sequence[Matcher], start: int, end: int) -> Sequence[Block] | None:
    try:
        return store.select(matchers, start, end, Hints(range=1, max_samples=MOST_SAMPLES)).blocks
    except TooManySamplesError:
        return None
