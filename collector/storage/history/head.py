"""Fresh samples in memory: what the journal has and no chunk does yet."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from collector.storage.history.columns import Columns, Refs, pieces_of, sorted_columns, wanted_columns
from collector.storage.history.histograms import HistogramColumns, HistogramPool, joined
from collector.storage.history.pieces import Piece, Rows
from monitor.query.history import Millis, Values

_SEAL = 1 << 16
_MOST_BATCHES = 256


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Samples sorted by series and time, the last journal record in them, and how many were replaced. `histograms`: those that
    the values number, None where they are floats.
    """

    columns: Columns
    number: int
    weight: int
    replaced: int = 0
    histograms: HistogramColumns | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    columns: Columns
    number: int
    histograms: HistogramColumns | None = None

    @property
    def weight(self) -> int:
        return len(self.columns) + (len(self.histograms.bins) if self.histograms is not None else 0)


@dataclass
class _Track:
    """Floats, or the histograms of one layout: sorted runs, and batches as they came."""

    runs: list[Run] = field(default_factory=list)
    tail: list[_Batch] = field(default_factory=list)
    tail_weight: int = 0

    def seal(self) -> None:
        if self.tail:
            self.runs.append(sealed(self.tail))
            self.tail, self.tail_weight = [], 0


class Head:
    """Takes batches, gives sorted runs. Any thread; every call holds its lock for some milliseconds at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tracks: dict[object, _Track] = {}
        self.weight = 0
        """Samples held, a histogram's buckets counting as samples of their own."""
        self.oldest_time: int | None = None
        """The earliest time among them."""

    def add(self, number: int, columns: Columns, histograms: HistogramColumns | None = None) -> None:
        """A journal record's samples; of histograms the values are their numbers in `histograms`."""
        batch = _Batch(columns, number, histograms)
        first = int(columns.times.min())
        with self._lock:
            track = self._tracks.setdefault(histograms.layout if histograms is not None else None, _Track())
            track.tail.append(batch)
            track.tail_weight += batch.weight
            self.weight += batch.weight
            self.oldest_time = first if self.oldest_time is None else min(first, self.oldest_time)

    def runs(self, seal: bool = False, wanted: Rows | None = None) -> list[Run]:
        """All samples, sorted, in the order they came (of each kind). `seal`: what is unsorted is kept sorted from now on.
        `wanted`: refs (sorted) besides which others may be left out.
        """
        unsorted: list[list[_Batch]] = []
        found: list[Run] = []
        with self._lock:
            for track in self._tracks.values():
                if seal or track.tail_weight > _SEAL or len(track.tail) > _MOST_BATCHES:
                    track.seal()
                found += track.runs
                if track.tail:
                    unsorted.append(list(track.tail))
        if wanted is not None:
            unsorted = [some for batches in unsorted if (some := _with_any(batches, wanted))]
        return found + [sealed(batches) for batches in unsorted]

    def drop(self, number: int) -> None:
        """Everything up to this record is in chunks."""
        with self._lock:
            for key, track in list(self._tracks.items()):
                track.runs = [run for run in track.runs if run.number > number]
                if not track.runs and not track.tail:
                    del self._tracks[key]
            runs = [run for track in self._tracks.values() for run in track.runs]
            tails = [batch for track in self._tracks.values() for batch in track.tail]
            self.weight = sum(run.weight for run in runs) + sum(batch.weight for batch in tails)
            columns = [run.columns for run in runs] + [batch.columns for batch in tails]
            times = [int(part.times.min()) for part in columns]
            self.oldest_time = min(times) if times else None


def _with_any(batches: Sequence[_Batch], wanted: Rows) -> list[_Batch]:
    """Batches with any of the wanted series; of floats only their samples."""
    table = np.zeros(max(int(batch.columns.refs.max()) for batch in batches) + 1, bool)
    table[wanted[wanted < len(table)]] = True
    kept: list[_Batch] = []
    for batch in batches:
        here = table[batch.columns.refs]
        if batch.histograms is None and not here.all():
            columns = batch.columns
            values = columns.values.view(np.uint64)[here].view(np.float64)
            batch = _Batch(Columns(columns.refs[here], columns.times[here], values), batch.number)
        if here.any():
            kept.append(batch)
    return kept


def sealed(batches: Sequence[_Batch]) -> Run:
    """Batches of one track as a run."""
    weight = sum(batch.weight for batch in batches)
    if batches[0].histograms is None:
        columns, replaced = sorted_columns([batch.columns for batch in batches])
        return Run(columns, batches[-1].number, weight, replaced)
    bases = np.cumsum([0] + [len(batch.columns) for batch in batches])
    numbered = [
        Columns(b.columns.refs, b.columns.times, b.columns.values + base) for b, base in zip(batches, bases[:-1], strict=True)
    ]
    columns, replaced = sorted_columns(numbered)
    from_all = joined([batch.histograms for batch in batches if batch.histograms is not None])
    return Run(columns, batches[-1].number, weight, replaced, from_all)


def run_pieces(run: Run, wanted: Rows, pool: HistogramPool) -> list[Piece]:
    """The wanted series (sorted refs) of a run; histograms numbered as in the pool, which gets those wanted."""
    columns, _ = wanted_columns(run.columns, wanted)
    if not len(columns):
        return []
    if run.histograms is not None:
        taken = run.histograms.take(columns.values.astype(np.int64))
        columns = columns.with_values(pool.add(taken) + np.arange(len(taken), dtype=np.float64))
    return pieces_of(columns, wanted)


def numbered(refs: Refs, times: Millis) -> Columns:
    """The keys of a batch of histograms as columns: each one's value is its place."""
    values: Values = np.arange(len(refs), dtype=np.float64)
    return Columns(refs, times, values)
