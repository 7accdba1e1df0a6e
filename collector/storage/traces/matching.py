"""Which rows of a part meet a test of text and tags: few chunks of details are unpacked, and fewer rows read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from collector.storage.traces.blocks import Held, log_parts
from collector.storage.traces.details import RowTest
from collector.storage.traces.reading import Part, Places, Reading
from monitor.model.logs import Logs

Mask = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.int64]


def matching(
    reading: Reading, part: Part, held: Held, mask: Mask, keys: Keys, test: RowTest, floor: Callable[[], int]
) -> Iterator[Places]:
    """Rising places of the rows that hold, of those in `mask`, some at a time.

    Rows with the highest `keys` come first; what lies below `floor()` is of no use any more and may be left out.
    """
    places = np.flatnonzero(mask)
    if not len(places):
        return
    if not test:
        yield places
        return
    if part.block is None:
        yield np.array([place for place, row in reading.details(part, held, places) if _holds(test, held, place, row)], np.int64)
        return
    named = _named(test, held)
    chunks = np.searchsorted(held.edges, places, "right") - 1
    numbers, begins = np.unique(chunks, return_index=True)
    highest = np.maximum.reduceat(keys[places], begins)
    for at in np.argsort(-highest, kind="stable").tolist():
        if highest[at] < floor():
            return
        chunk = int(numbers[at])
        found = reading.chunk(part, held, chunk)
        if found is None:
            continue
        data, edges = found
        begin, end = int(held.edges[chunk]), int(held.edges[chunk + 1])
        able = test.possible(data, edges, None if named is None else named[begin:end])
        some = places[chunks == chunk]
        some = some[able[some - begin]]
        kept = [
            place for place in some.tolist() if _holds(test, held, place, data[edges[place - begin] : edges[place - begin + 1]])
        ]
        if kept:
            yield np.array(kept, np.int64)


def _named(test: RowTest, held: Held) -> Mask | None:
    """bool[n]: spans whose operation has the text; None where bodies, which lie with the details, take its place."""
    rows = held.rows
    if isinstance(rows, Logs):
        return None
    having = [place for place, text in enumerate(rows.texts) if test.text_in(text)]
    return np.isin(rows.names, having)


def _holds(test: RowTest, held: Held, place: int, row: bytes) -> bool:
    if isinstance(held.rows, Logs):
        body, detail = log_parts(row)
        return test.holds(detail, body)
    return test.holds(row, held.rows.texts[held.rows.names[place]])
