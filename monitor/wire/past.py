"""History of many rows, read a slice at a time so that nobody else has to wait for all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.windows.frame import History, quantile_of
from monitor.wire import messages as m
from monitor.wire.messages import F64, I32
from monitor.wire.source import Engine

COSTLY_ROWS = 128
"""Rows of a quantile in one slice; of other fields eight times as many. Some 0.2 s of work on a slow machine."""


@dataclass(frozen=True, slots=True, eq=False)
class PastQuery:
    """What is asked: fields over a window for rows, at the step ends in (start, end]."""

    rows: Ids
    fields: tuple[str, ...]
    window: float
    start: float
    end: float
    step: float


class Past:
    """One history being read. The first slice decides the times; later ones are put on them, should the engine have ticked."""

    def __init__(self, query: PastQuery) -> None:
        self._query = query
        self._times: Floats | None = None
        self._step = query.step
        self._columns: list[npt.NDArray[np.float64]] = []

    def read(self, engine: Engine) -> Iterator[None]:
        """Reads a slice at each turn."""
        rows = self._query.rows
        for name in self._query.fields:
            size = COSTLY_ROWS if name == "value" or quantile_of(name) is not None else 8 * COSTLY_ROWS
            parts = []
            for begin in range(0, max(1, len(rows)), size):
                parts.append(self._slice(engine, rows[begin : begin + size], name))
                yield
            self._columns.append(np.concatenate(parts))

    def message(self, sub: int, request: int) -> m.History:
        """The whole, once `read` has ended."""
        times = np.empty(0) if self._times is None else self._times
        columns = tuple(np.ascontiguousarray(column).reshape(-1).view(F64) for column in self._columns)
        rows = np.ascontiguousarray(self._query.rows).view(I32)
        return m.History(sub, np.ascontiguousarray(times).view(F64), rows, columns, self._step, request)

    def _slice(self, engine: Engine, rows: Ids, name: str) -> npt.NDArray[np.float64]:
        query = self._query
        answer = engine.history(rows, name, query.window, query.start, query.end, self._step)
        if self._times is None:
            self._times, self._step = answer.times, answer.step
            return answer.values
        return answer.values if np.array_equal(answer.times, self._times) else _on(self._times, answer)


def _on(times: Floats, answer: History) -> npt.NDArray[np.float64]:
    """The answer's values at these times, NaN where it has none."""
    values = np.full((len(answer.rows), len(times)), np.nan)
    _, wanted, found = np.intersect1d(times, answer.times, return_indices=True)
    values[:, wanted] = answer.values[:, found]
    return values
