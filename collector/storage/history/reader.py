"""Answers `select`: which chunks and fresh samples, of which tier, put together into blocks."""

from __future__ import annotations

import dataclasses
import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from collector.storage.history.blocks import blocks_of
from collector.storage.history.chunk_table import (
    HISTOGRAM,
    LAST,
    ChunkRow,
    TimesCache,
    marks,
    read_chunks,
    span_limits,
)
from collector.storage.history.codec import GROUP
from collector.storage.history.head import Run, run_pieces
from collector.storage.history.histograms import HistogramPool
from collector.storage.history.loading import Loader, Thinner, clipped, share, tombstones
from collector.storage.history.pieces import Piece, Rows
from collector.storage.history.plan import Area, Layer, areas, coarsest, exact_tier, field_of
from collector.storage.history.settings import RAW, TIER_STEPS, WINDOW, span_end, span_of, window_of
from monitor.query.history import Block, Hints, Labels, TooManySamplesError

_MOST_WINDOWS = 1 << 26

Covered = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Asked:
    """What `select` is to read. `refs` int64[n] sorted, `labels` and `counters` (bool) of each."""

    refs: Rows
    labels: Sequence[Labels]
    counters: npt.NDArray[np.bool_]
    start: int
    end: int
    hints: Hints


@dataclass
class Found:
    """Blocks, and what is to be said of them."""

    blocks: list[Block]
    resolution: int
    infos: list[str]
    damaged: int
    problems: list[str]


class Reading:
    """One `select` on one snapshot of the database and of the fresh runs."""

    def __init__(self, connection: sqlite3.Connection, runs: Sequence[Run], times_cache: TimesCache, asked: Asked) -> None:
        self._connection = connection
        known = marks(connection)
        folded = known.get("folded", 0)
        self._runs = [run for run in runs if run.number > folded]
        self._fresh_times = [time for run in self._runs for time in (int(run.columns.times.min()), int(run.columns.times.max()))]
        self._limits = span_limits(connection)
        self._asked = asked = self._held(asked)
        self._floors = [known.get(f"floor_{tier}", -(1 << 62)) for tier in range(len(TIER_STEPS))]
        self._pool = HistogramPool()
        self._loader = Loader(asked.refs, times_cache, self._pool, tombstones(connection))
        self._used: dict[int, int] = {}
        """Tiers that something was taken from, and up to when."""
        self._thinner = Thinner(asked.hints)
        self._budget = asked.hints.max_samples

    def found(self) -> Found:
        """Raises `TooManySamplesError` before more than `max_samples` are decoded."""
        asked, hints = self._asked, self._asked.hints
        resolution, info = 0, ""
        floats: list[Piece] = []
        numbers: list[Piece] = []
        for counter in (False, True):
            rows = np.flatnonzero(asked.counters == counter)
            if not len(rows):
                continue
            self._used.clear()
            exact = exact_tier(hints, counter)
            plan = areas(asked.start, asked.end, self._floors, exact, field_of(hints), self._fresh())
            for area in plan:
                floats += self._area(area, rows)
            if (told := coarsest(self._used, exact))[0] > resolution:
                resolution, info = told
        # Merged histograms are exact where the last value is: they are running sums.
        self._used.clear()
        exact = exact_tier(hints, counter=True)
        plan = areas(asked.start, asked.end, self._floors, exact, LAST, self._fresh())
        numbers += self._histograms(plan, np.arange(len(asked.refs)))
        if (told := coarsest(self._used, exact))[0] > resolution:
            resolution, info = told
        for run in self._runs:
            (floats if run.histograms is None else numbers).extend(self._fresh_pieces(run))
        panels, histograms = self._loader.assembled(floats), self._loader.assembled(numbers)
        blocks = blocks_of(panels, histograms, asked.labels, self._pool, asked.start, asked.end)
        return Found(
            blocks, resolution if blocks else 0, [info] if info and blocks else [], self._loader.damaged, self._loader.problems
        )

    def _held(self, asked: Asked) -> Asked:
        """Of the span asked for what lies between the first and the last sample there is."""
        times = list(self._fresh_times)
        for tier, (first, last) in self._limits.items():
            times += (span_end(tier, first - 1) + 1, span_end(tier, last))
        start, end = max(asked.start, min(times, default=0)), min(asked.end, max(times, default=0))
        return dataclasses.replace(asked, start=start, end=end)

    def _fresh_pieces(self, run: Run) -> list[Piece]:
        pieces = run_pieces(run, self._asked.refs, self._pool)
        inside = [part for piece in pieces if (part := clipped(piece, self._asked.start - 1, self._asked.end)) is not None]
        self._spend(sum(len(piece.rows) * len(piece.times) for piece in inside))
        return inside if run.histograms is not None else [self._thinner.thinned(piece) for piece in inside]

    def _fresh(self) -> list[tuple[int, int]]:
        """Stretches whose raw samples are not all merged yet, so that tiers made of them may lack some."""
        rows = self._connection.execute("SELECT part FROM spans WHERE tier = 0 AND pending > 0 ORDER BY part")
        stretches = [(row[0], row[0] + 1) for row in rows]
        for tier, _, span, *_ in self._loader.doomed:  # a tier hides more than is deleted until it is made anew
            if tier == RAW:
                stretches.append((window_of(span_end(RAW, span - 1) + 1), window_of(span_end(RAW, span)) + 1))
        if self._fresh_times:
            stretches.append((window_of(min(self._fresh_times)), window_of(max(self._fresh_times)) + 1))
        found: list[tuple[int, int]] = []
        for first, behind in sorted(stretches):
            if found and first * WINDOW <= found[-1][1]:
                found[-1] = found[-1][0], max(found[-1][1], behind * WINDOW)
            else:
                found.append((first * WINDOW, behind * WINDOW))
        return found

    def _area(self, area: Area, rows: Rows) -> list[Piece]:
        """Pieces of the series at `rows` in one stretch, each from the first layer that has it."""
        if len(area.layers) == 1:
            return self._layer(area, area.layers[0], rows, None)
        first, last = window_of(area.start + 1), window_of(area.end)
        if len(self._asked.refs) * (last - first + 1) > _MOST_WINDOWS:
            raise TooManySamplesError("This would look into too many series over too long a time. Shorten the range.")
        covered: Covered = np.zeros((len(self._asked.refs), last - first + 1), bool)
        found: list[Piece] = []
        for layer in area.layers:
            pieces = self._layer(area, layer, rows, covered)
            for piece in pieces:
                grains = np.unique((piece.times - 1) // WINDOW) - first
                covered[np.ix_(piece.rows, grains)] = True
            found += pieces
            if covered[rows].all():
                break
        return found

    def _layer(self, area: Area, layer: Layer, rows: Rows, covered: Covered | None) -> list[Piece]:
        """One field of one tier in a stretch, where no layer before had a series."""
        missing = rows if covered is None else rows[~covered[rows].all(axis=1)]
        wanted = np.zeros(len(self._asked.refs), bool)
        wanted[missing] = True
        buckets = np.unique(self._asked.refs[missing] // GROUP).tolist()
        first = span_of(layer.tier, area.start + 1)
        limits = self._limits.get(layer.tier, (0, -1))
        spans = range(max(first, limits[0]), min(span_of(layer.tier, area.end), limits[1]) + 1)
        chunks = self._afforded(
            read_chunks(self._connection, layer.tier, layer.field, spans, buckets, area.start + 1, area.end), area
        )
        found: list[Piece] = []
        for piece in self._loader.pieces(self._connection, chunks):
            here = wanted[piece.rows]
            some = piece if here.all() else piece.of_rows(here)
            inside = clipped(some, max(area.start, self._asked.start - 1), area.end) if len(some.rows) else None
            if inside is not None:
                parts = [inside] if covered is None else uncovered(inside, covered, window_of(area.start + 1))
                self._used[layer.tier] = max(area.end, self._used.get(layer.tier, 0))
                found += parts if layer.field == HISTOGRAM else map(self._thinner.thinned, parts)
        return found

    def _histograms(self, plan: Sequence[Area], rows: Rows) -> list[Piece]:
        """Histograms of a plan; merged ones of a tier are exact wherever its floats are."""
        found: list[Piece] = []
        for area in plan:
            tiers = list(dict.fromkeys(layer.tier for layer in area.layers))
            found += self._area(Area(area.start, area.end, tuple(Layer(tier, HISTOGRAM) for tier in tiers)), rows)
        return found

    def _afforded(self, chunks: Iterator[ChunkRow], area: Area) -> list[ChunkRow]:
        """Those chunks, counted before they are decoded."""
        taken: list[ChunkRow] = []
        refs = self._asked.refs
        for row in chunks:
            begin, behind = np.searchsorted(refs, (row.bucket * GROUP, (row.bucket + 1) * GROUP)).tolist()
            held = row.data[5]
            self._spend(share(row, max(area.start + 1, self._asked.start), area.end) * min(behind - begin, held) // max(1, held))
            taken.append(row)
        return taken

    def _spend(self, samples: int) -> None:
        self._budget -= samples
        if self._budget < 0:
            raise TooManySamplesError(self._too_many())

    def _too_many(self) -> str:
        asked, hints = self._asked, self._asked.hints
        spans = [asked.start, asked.end]
        counted = self._connection.execute(
            "SELECT total(samples * 1.0 * (min(last, ?2) - max(first, ?1) + 1) / (last - first + 1)) FROM chunks "
            "WHERE tier = 0 AND field = 0 AND span BETWEEN ?3 AND ?4 AND bucket BETWEEN ?5 AND ?6 AND last >= ?1 AND first <= ?2",
            (*spans, *(span_of(RAW, time) for time in spans), int(asked.refs[0]) // GROUP, int(asked.refs[-1]) // GROUP),
        ).fetchone()[0]
        read = max(hints.max_samples - self._budget, int(counted))
        coarser = next((step for step in TIER_STEPS[1:] if hints.step < step), 0)
        advice = f" or raise the step to {_words(coarser)}" if coarser and not hints.range else ""
        return f"This would read {_amount(read)} samples (limit {_amount(hints.max_samples)}). Shorten the range{advice}."


def uncovered(piece: Piece, covered: Covered, first: int) -> list[Piece]:
    """Of a piece what no layer before had, grain by grain of four hours."""
    grains = (piece.times - 1) // WINDOW - first
    bounds = [0, *(np.flatnonzero(np.diff(grains)) + 1).tolist(), len(grains)]
    needed = ~covered[piece.rows][:, grains[bounds[:-1]]]
    if needed.all():
        return [piece]
    found: list[Piece] = []
    for number, (begin, behind) in enumerate(itertools.pairwise(bounds)):
        some = needed[:, number]
        if some.any():
            found.append(piece.of_rows(some).between(begin, behind))
    return found


def _amount(samples: int) -> str:
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if samples >= size:
            return f"{samples / size:.3g} {letter}"
    return str(samples)


def _words(step: int) -> str:
    return {10_000: "10 s", 60_000: "1 min", 3_600_000: "1 h"}[step]
