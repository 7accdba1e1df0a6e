"""Samples of all series as columns, as they are kept: what looking at a past moment is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from collector.rewind.kept import KeptSamples, KeptSeries
from collector.storage.history.chunk_table import LAST
from collector.storage.history.histograms import DISTRIBUTION, HistogramColumns, HistogramPool, joined
from collector.storage.history.opening import Opened
from collector.storage.history.pieces import Panel, Piece, Rows
from collector.storage.history.plan import areas, exact_tier
from collector.storage.history.reader import Asked, Reading
from collector.storage.history.series_index import counters_among
from collector.storage.history.store import HistoryStore
from monitor.model.series import Kind
from monitor.query.history import Hints, Values

SERIES_AT_ONCE = 4_096
"""So many series are read into memory together."""


class StoredPast:
    """The history as rewinding reads it (see `collector.rewind.kept.PastHistory`)."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store

    def since(self) -> float:
        """Time of the oldest sample kept, seconds; infinity while there is none."""
        return self._store.oldest()

    def living(self, start: int) -> int:
        """How many series had samples after `start`, milliseconds."""
        with self._store.reading() as opened:
            return len(self._alive(opened, start))

    def describe(self, refs: Rows) -> Sequence[KeptSeries]:
        """The series of these refs, in order."""
        with self._store.reading() as opened:
            known = opened.index.metadata()
            kinds = [Kind(kind) if kind < len(Kind) else Kind.GAUGE for kind in opened.index.kinds(refs).tolist()]
            told = opened.index.labels(refs)
        found = []
        for labels, kind in zip(told, kinds, strict=True):
            name = dict(labels).get("__name__", "")
            found.append(KeptSeries(labels, kind, known[name].unit if name in known else ""))
        return found

    def read(self, start: int, end: int, step: int) -> Iterable[KeptSamples]:
        """Everything stamped within (start, end], in parts of so many series. Raises `QueryError`."""
        with self._store.reading() as opened:
            refs = self._alive(opened, start)
        # Where somebody says when it is looked at, a store may answer from a tier, and leaves out what is not seen then.
        hints = Hints(step=step, lookback=step, first=-(-(start + 1) // step) * step) if step else Hints()
        for begin in range(0, len(refs), SERIES_AT_ONCE):
            yield self._part(refs[begin : begin + SERIES_AT_ONCE], start, end, hints)

    def _alive(self, opened: Opened, start: int) -> Rows:
        refs = opened.index.find(())
        return refs[self._store.intake.newest_of(refs) > start]

    def _part(self, refs: Rows, start: int, end: int, hints: Hints) -> KeptSamples:
        with self._store.reading() as opened:
            asked = Asked(refs, (), counters_among(opened.index, refs), start + 1, end, hints)
            runs = self._store.intake.head.runs()
            with opened.readers.snapshot() as connection:
                return _Columns(connection, runs, opened.times_cache, asked).samples()


class _Columns(Reading):
    """A reading of everything, put together as columns."""

    def samples(self) -> KeptSamples:
        """All of the series asked for, histograms as what came since the one before."""
        asked, hints = self._asked, self._asked.hints
        floats: list[Piece] = []
        for counter in (False, True):
            rows = np.flatnonzero(asked.counters == counter)
            if len(rows):
                plan = areas(asked.start, asked.end, self._floors, exact_tier(hints, counter), LAST, self._fresh())
                floats += [piece for area in plan for piece in self._area(area, rows)]
        plan = areas(asked.start, asked.end, self._floors, exact_tier(hints, counter=True), LAST, self._fresh())
        numbers = self._histograms(plan, np.arange(len(asked.refs)))
        for run in self._runs:
            (floats if run.histograms is None else numbers).extend(self._fresh_pieces(run))
        return _kept(asked, self._loader.assembled(floats), self._loader.assembled(numbers), self._pool)


def _kept(asked: Asked, floats: Sequence[Panel], numbers: Sequence[Panel], pool: HistogramPool) -> KeptSamples:
    readings = [_flat(panel, asked) for panel in floats]
    refs, times, values = (np.concatenate([np.empty(0, kind), *(each[i] for each in readings)]) for i, kind in enumerate(_TYPES))
    observed = list(_observed(numbers, asked, pool))
    columns = joined([each[2] for each in observed]) if observed else _NOTHING
    return KeptSamples(
        refs,
        times,
        values,
        None,
        None,
        np.concatenate([np.empty(0, np.int64), *(each[0] for each in observed)]),
        np.concatenate([np.empty(0, np.int64), *(each[1] for each in observed)]),
        columns.sums,
        columns.offsets.astype(np.int64),
        columns.bins,
        columns.counts,
    )


def _observed(panels: Sequence[Panel], asked: Asked, pool: HistogramPool) -> Iterator[tuple[Rows, Rows, HistogramColumns]]:
    """Of each panel the refs, times and histograms that are distributions; others are not what the windows hold."""
    for panel in panels:
        refs, times, numbers = _flat(panel, asked)
        for places, columns in pool.by_layout(numbers):
            if columns.layout == DISTRIBUTION:
                yield refs[places], times[places], columns


def _flat(panel: Panel, asked: Asked) -> tuple[Rows, Rows, Values]:
    """A panel as columns, cut to the span that is read."""
    begin, behind = np.searchsorted(panel.times, (asked.start, asked.end + 1)).tolist()
    times, values = panel.times[begin:behind], panel.values[:, begin:behind]
    return np.repeat(asked.refs[panel.rows], len(times)), np.tile(times, len(panel.rows)), np.ascontiguousarray(values).ravel()


_TYPES = (np.int64, np.int64, np.float64)
_NOTHING = HistogramColumns(DISTRIBUTION, np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0), np.empty(0))
