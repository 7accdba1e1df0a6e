"""History of many rows, read a slice at a time so that nobody else has to wait for all of it.

What is older than the engine's hour comes from the archive: `Work`, which whoever sends the answer does in another thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.windows.frame import History, quantile_of
from monitor.windows.rings import FINE, KEPT, SPAN, TEN
from monitor.wire import messages as m
from monitor.wire.messages import F64, I32
from monitor.wire.source import Archive, Engine, Source

COSTLY_ROWS = 128
"""Rows of a quantile in one slice; of other fields eight times as many. Some 0.2 s of work on a slow machine."""
ARCHIVE_ROWS = 512
"""Rows of one field that are asked of the archive at once."""


class Work(bytes):
    """In an answer: nothing to send, but something to be `run` in another thread before the answer goes on.

    It reads as an empty packet. Who does not run it only gives others their turn: it is then done where the answer goes on.
    """

    _act: Callable[[], None]
    _done: bool
    _error: Exception | None

    def __new__(cls, act: Callable[[], None]) -> Work:
        work = super().__new__(cls)
        work._act, work._done, work._error = act, False, None
        return work

    def run(self) -> None:
        """Does it, once. What goes wrong is raised by `finish`."""
        if not self._done:
            self._done = True
            try:
                self._act()
            except Exception as error:
                self._error = error

    def finish(self) -> None:
        """Does it if nobody has, and raises what went wrong: for whoever needs what came of it."""
        self.run()
        if self._error is not None:
            raise self._error


@dataclass(frozen=True, slots=True, eq=False)
class PastQuery:
    """What is asked: fields over a window for rows, at the step ends in (start, end]."""

    rows: Ids
    fields: tuple[str, ...]
    window: float
    start: float
    end: float
    step: float


def parted(query: PastQuery, now: float, archive: Archive | None) -> tuple[PastQuery | None, PastQuery | None]:
    """The part that only the archive knows and the part that the engine answers; None: there is nothing of it.

    Both lie on one grid of steps and meet where the engine's slots hold the whole window.
    """
    if archive is None or not archive.since < query.end:
        return None, query
    step = _grid(query, now)
    reach = min(SPAN, KEPT - (query.window or step))
    seam = max(now - max(reach, 0.0), archive.seam + (query.window or step))
    seam = math.ceil(min(seam, now) / step) * step
    if query.start >= seam - step:
        return None, query
    if query.end <= seam:  # the archive alone may answer as finely as it likes
        step = float(max(1, math.ceil(query.step)))
    older = replace(query, start=max(query.start, archive.since - step), end=min(seam, query.end), step=step)
    newer = replace(query, start=float(seam), step=step) if query.end > seam else None
    return (older if older.start < older.end else None), newer


def _grid(query: PastQuery, now: float) -> float:
    """Whole seconds, and whole tens where the engine keeps no less."""
    step = max(1, math.ceil(query.step))
    return float(step if query.start >= now - FINE else -(-step // TEN) * TEN)


class Past:
    """One history being read. The first slice decides the times; later ones are put on them, should the engine have ticked."""

    def __init__(self, query: PastQuery) -> None:
        self._query = query
        self._times: Floats | None = None
        self._step = query.step
        self._columns: list[npt.NDArray[np.float64]] = []

    def read(self, engine: Engine) -> Iterator[bytes]:
        """Reads a slice at each turn, from the engine."""
        return self._read(lambda rows, name: (b"", lambda: self._of_engine(engine, rows, name)), 8 * COSTLY_ROWS, COSTLY_ROWS)

    def read_kept(self, source: Source) -> Iterator[bytes]:
        """Reads a slice at each turn, from the archive: gives the work to be done for it."""
        return self._read(lambda rows, name: self._of_archive(source, rows, name), ARCHIVE_ROWS, ARCHIVE_ROWS)

    def join(self, later: Past) -> None:
        """Appends what another read found for the same rows and fields, later on."""
        if later._times is None or not len(later._times):
            return
        if self._times is None or not len(self._times):
            self._times, self._step, self._columns = later._times, later._step, later._columns
            return
        fresh = later._times > self._times[-1]
        self._times = np.concatenate((self._times, later._times[fresh]))
        pairs = zip(self._columns, later._columns, strict=True)
        self._columns = [np.concatenate((old, new[:, fresh]), axis=1) for old, new in pairs]
        self._step = max(self._step, later._step)

    def message(self, sub: int, request: int) -> m.History:
        """The whole, once `read` has ended."""
        times = np.empty(0) if self._times is None else self._times
        columns = tuple(np.ascontiguousarray(column).reshape(-1).view(F64) for column in self._columns)
        rows = np.ascontiguousarray(self._query.rows).view(I32)
        return m.History(sub, np.ascontiguousarray(times).view(F64), rows, columns, self._step, request)

    def _read(self, ask: Callable[[Ids, str], tuple[bytes, Callable[[], History]]], plain: int, costly: int) -> Iterator[bytes]:
        rows = self._query.rows
        for name in self._query.fields:
            size = costly if name == "value" or quantile_of(name) is not None else plain
            parts = []
            for begin in range(0, max(1, len(rows)), size):
                turn, found = ask(rows[begin : begin + size], name)
                if isinstance(turn, Work):
                    yield turn
                    parts.append(self._fitted(found()))
                else:
                    parts.append(self._fitted(found()))
                    yield turn
            self._columns.append(np.concatenate(parts))

    def _of_engine(self, engine: Engine, rows: Ids, name: str) -> History:
        query = self._query
        return engine.history(rows, name, query.window, query.start, query.end, self._step)

    def _of_archive(self, source: Source, rows: Ids, name: str) -> tuple[Work, Callable[[], History]]:
        query, archive, step = self._query, source.archive, self._step
        infos = [source.engine.table.info(row) for row in rows.tolist()]
        known = [info for info in infos if info is not None]
        # A point stands for all of its step: one of the last minute only would leave most of it out.
        window = max(query.window, step)
        found: list[History] = []

        def act() -> None:
            if archive is not None:
                found.append(archive.history(known, name, window, query.start, query.end, step))

        work = Work(act)

        def result() -> History:
            work.finish()
            return _spread(found[0], rows, infos) if found else History(rows, np.empty(0), np.empty((len(rows), 0)), step, name)

        return work, result

    def _fitted(self, answer: History) -> npt.NDArray[np.float64]:
        if self._times is None:
            self._times, self._step = answer.times, answer.step
            return answer.values
        return answer.values if np.array_equal(answer.times, self._times) else _on(self._times, answer)


def _spread(answer: History, rows: Ids, infos: Sequence[object]) -> History:
    """The answer for the rows that are series, put back in the places of all rows."""
    if len(answer.values) == len(rows):
        return answer
    values = np.full((len(rows), len(answer.times)), np.nan)
    values[[place for place, info in enumerate(infos) if info is not None]] = answer.values
    return replace(answer, rows=rows, values=values)


def _on(times: Floats, answer: History) -> npt.NDArray[np.float64]:
    """The answer's values at these times, NaN where it has none."""
    values = np.full((len(answer.rows), len(times)), np.nan)
    _, wanted, found = np.intersect1d(times, answer.times, return_indices=True)
    values[:, wanted] = answer.values[:, found]
    return values
