"""What was taken in and is not in the database yet: in memory, seen by searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from collector.storage.traces.blocks import Held, Rows, clean
from collector.storage.traces.reading import Part
from collector.storage.traces.settings import LOGS, SPANS
from monitor.model.logs import Logs, joined_logs
from monitor.model.spans import Spans, joined_spans
from monitor.model.texts import TextTable

_ROW_WEIGHT = 120
"""Bytes a row takes beside its details."""


class Fresh(NamedTuple):
    """Rows of one append, and what they weigh."""

    part: Part
    weight: int


class Pending:
    """Not safe for threads: its owner has a lock. `next_row`: the number the next row gets."""

    def __init__(self, next_row: int) -> None:
        self.next_row = next_row
        self.weight = 0
        self._fresh: list[Fresh] = []

    def parts(self) -> list[Part]:
        return [one.part for one in self._fresh]

    def fresh(self) -> list[Fresh]:
        """All there is, in order of arrival."""
        return list(self._fresh)

    def add(self, fresh: Fresh) -> None:
        """Its rows get the next numbers."""
        held = fresh.part.fresh
        assert held is not None
        order = held.order + self.next_row
        self.next_row += len(order)
        part = replace(fresh.part, low=int(order[0]), high=int(order[-1]), fresh=replace(held, order=order))
        self._fresh.append(Fresh(part, fresh.weight))
        self.weight += fresh.weight

    def committed(self, count: int) -> None:
        """The first so many are in the database."""
        self.weight -= sum(one.weight for one in self._fresh[:count])
        del self._fresh[:count]


def fresh_of(rows: Spans | Logs) -> Fresh:
    """At least one row, ready to be added."""
    rows = _clean(rows)
    times = rows.starts if isinstance(rows, Spans) else rows.times
    sizes = sum(map(len, rows.details))
    if isinstance(rows, Logs):
        sizes += 4 * sum(map(len, rows.bodies))
    held = Held(rows, np.arange(len(rows)), np.array([0, len(rows)]))
    kind = SPANS if isinstance(rows, Spans) else LOGS
    part = Part(kind, int(times.min()), int(times.max()), 0, 0, None, fresh=held)
    return Fresh(part, sizes + _ROW_WEIGHT * len(rows))


def joined(parts: Sequence[Part]) -> tuple[Spans | Logs, Rows]:
    """The rows of parts of one kind, and their numbers."""
    helds = [part.fresh for part in parts if part.fresh is not None]
    order = np.concatenate([held.order for held in helds])
    spans = [held.rows for held in helds if isinstance(held.rows, Spans)]
    return (joined_spans(spans) if spans else joined_logs([held.rows for held in helds if isinstance(held.rows, Logs)])), order


def _clean(rows: Spans | Logs) -> Spans | Logs:
    """Without what has no form in UTF-8, so that rows say the same before and after a commit."""
    if _odd(rows.texts):
        table = TextTable()
        places = np.array([table.place(clean(text)) for text in rows.texts], np.int32)
        moved = {name: places[getattr(rows, name)] for name in ("services", "names", "peers") if hasattr(rows, name)}
        rows = replace(rows, texts=table.texts(), **moved)
    if isinstance(rows, Logs) and _odd(rows.bodies):
        rows = replace(rows, bodies=[clean(body) for body in rows.bodies])
    return rows


def _odd(texts: Sequence[str]) -> bool:
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return True
    return False
