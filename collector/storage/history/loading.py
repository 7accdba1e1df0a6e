"""From chunks in the database to pieces of the series wanted."""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from collector.storage.history.chunk_table import HISTOGRAM, ChunkRow, TimesCache, TimesKey, refs_of, times_of
from collector.storage.history.codec import GROUP, Chunk, DamagedChunkError, Picks, Slots, opened, seal_of
from collector.storage.history.histograms import PARTS, HistogramPool, unpack_columns
from collector.storage.history.pieces import Panel, Piece, Rows, assemble, matrix_filler
from collector.storage.history.plan import SEES_MORE
from collector.storage.history.settings import TIER_STEPS
from monitor.query.history import Hints, Millis, Values


@dataclass(frozen=True, slots=True, eq=False)
class Tombstone:
    """Samples of `refs` (sorted int64) in [first, last] are deleted."""

    first: int
    last: int
    refs: Rows


@dataclass
class Loader:
    """Makes pieces of chunks. `wanted`: sorted refs. `doomed`: tombstones by the key of a chunk that still has what they delete.

    What is damaged is left out and counted in `damaged`, with a sentence each in `problems`.
    """

    wanted: Rows
    times_cache: TimesCache
    pool: HistogramPool
    doomed: dict[tuple[int, ...], list[Tombstone]] = field(default_factory=dict)
    damaged: int = 0
    problems: list[str] = field(default_factory=list)
    _places: dict[tuple[int, bytes], tuple[Rows, Rows]] = field(default_factory=dict)

    def pieces(self, connection: sqlite3.Connection, rows: Sequence[ChunkRow]) -> list[Piece]:
        """Pieces of those chunks in their order."""
        times = times_of(connection, self.times_cache, (row.times_key for row in rows))
        found: list[Piece] = []
        for row in rows:
            try:
                found += self._pieces_of(row, times)
            except DamagedChunkError as error:
                self.damage(row, str(error))
        return found

    def damage(self, row: ChunkRow, reason: str) -> None:
        """A chunk is left out."""
        self.damaged += 1
        if len(self.problems) < 20:
            self.problems.append(f"{reason} (tier {row.tier}, span {row.span}, series {row.bucket * GROUP} and on)")

    def assembled(self, pieces: Sequence[Piece]) -> list[Panel]:
        """`assemble`, without pieces that turn out damaged when they are decoded."""
        pieces = list(pieces)
        while True:
            try:
                return assemble(pieces, len(self.wanted))
            except DamagedPieceError as error:
                self.damaged += 1
                self.problems.append(str(error))
                pieces = [piece for piece in pieces if piece.fill is not error.fill]

    def _pieces_of(self, row: ChunkRow, known: dict[TimesKey, Millis]) -> list[Piece]:
        if seal_of(*row[:9]) != row.seal:
            raise DamagedChunkError("the row of a chunk is damaged")
        chunk = Chunk(row.data)
        rows, here = self._wanted_of(row.bucket, chunk.slots)
        if not len(here):
            return []
        times = known.get(row.times_key)
        if times is None:
            raise DamagedChunkError("the times of a chunk are missing or damaged")
        if len(times) * len(chunk.slots) != row.samples:
            raise DamagedChunkError("a chunk has another number of samples than its times say")
        if row.field == HISTOGRAM:
            columns = unpack_columns(chunk.histogram_parts(PARTS))
            if len(columns) != row.samples:
                raise DamagedChunkError("a chunk of histograms has another number of samples than it says")
            numbers = self.pool.add(columns) + np.arange(row.samples, dtype=np.float64).reshape(-1, len(times))
            piece = Piece(rows, here, times, row.times, matrix_filler(numbers), len(times))
        else:
            piece = Piece(rows, here, times, row.times, _watched(row, chunk), len(times))
        return self._alive(piece, row)

    def _wanted_of(self, bucket: int, slots: Slots) -> tuple[Rows, Rows]:
        """Which of the wanted series are in a chunk, and their places in it: the same for many chunks of a bucket."""
        key = bucket, slots.tobytes()
        if key not in self._places:
            refs = refs_of(bucket, slots)
            rows = np.searchsorted(self.wanted, refs)
            here = np.flatnonzero(self.wanted[np.minimum(rows, len(self.wanted) - 1)] == refs)
            self._places[key] = rows[here], here
        return self._places[key]

    def _alive(self, piece: Piece, row: ChunkRow) -> list[Piece]:
        pieces = [piece]
        for tombstone in self.doomed.get(row[:5], ()):
            pieces = [part for whole in pieces for part in self._without(whole, tombstone, TIER_STEPS[row.tier])]
        return pieces

    def _without(self, piece: Piece, tombstone: Tombstone, step: int) -> list[Piece]:
        hit = np.isin(self.wanted[piece.rows], tombstone.refs)
        begin = int(np.searchsorted(piece.times, tombstone.first, "left"))
        behind = int(np.searchsorted(piece.times, -(-tombstone.last // step) * step if step else tombstone.last, "right"))
        if begin >= behind or not hit.any():
            return [piece]
        parts = [(~hit, 0, len(piece.times)), (hit, 0, begin), (hit, behind, len(piece.times))]
        return [piece.of_rows(some).between(first, last) for some, first, last in parts if some.any() and last > first]


def tombstones(connection: sqlite3.Connection) -> dict[tuple[int, ...], list[Tombstone]]:
    """By the key of a chunk, what of it is deleted. A damaged tombstone hides nothing."""
    known: dict[int, Tombstone] = {}
    for number, first, last, blob in connection.execute("SELECT id, first, last, refs FROM tombstones"):
        with contextlib.suppress(DamagedChunkError):
            known[number] = Tombstone(first, last, np.frombuffer(opened(blob, first, last), np.int64))
    found: dict[tuple[int, ...], list[Tombstone]] = {}
    if known:
        for *key, number in connection.execute("SELECT tier, field, span, bucket, part, tombstone FROM doomed"):
            if number in known:
                found.setdefault(tuple(key), []).append(known[number])
    return found


class DamagedPieceError(Exception):
    """A piece whose checksum is right cannot be decoded. `fill`: the piece's filler."""

    def __init__(self, message: str, fill: Callable[..., None]) -> None:
        super().__init__(message)
        self.fill = fill


def _watched(row: ChunkRow, chunk: Chunk) -> Callable[..., None]:
    def fill(out: Values, rows: Sequence[int], which: Sequence[int], columns: slice, width: int, picks: Picks) -> None:
        try:
            chunk.read_into(out, rows, which, columns, width, picks)
        except DamagedChunkError as error:
            raise DamagedPieceError(
                f"{error} (tier {row.tier}, span {row.span}, series {row.bucket * GROUP} and on)", fill
            ) from None

    return fill


def clipped(piece: Piece, start: int, end: int) -> Piece | None:
    """Of a piece what lies in (start, end]."""
    if start < piece.times[0] and piece.times[-1] <= end:
        return piece
    begin, behind = np.searchsorted(piece.times, (start, end), "right").tolist()
    return piece.between(begin, behind) if begin < behind else None


class Thinner:
    """Leaves of each series what an instant selector can see: of each piece the last sample up to each evaluation. Of histograms
    nothing may be left out, for they are added up.
    """

    def __init__(self, hints: Hints) -> None:
        self._first, self._step = hints.first, hints.step
        self.works = not hints.range and hints.step > 0 and hints.first != 0 and hints.func not in SEES_MORE
        self._known: dict[int, slice | Rows | None] = {}

    def thinned(self, piece: Piece) -> Piece:
        """The piece, or less of it."""
        if not self.works:
            return piece
        if piece.shape not in self._known:
            self._known[piece.shape] = self._columns(piece.times)
        columns = self._known[piece.shape]
        return piece if columns is None else piece.picked(columns, hash((piece.shape, "thin")))

    def _columns(self, times: Millis) -> slice | Rows | None:
        """None where most samples are seen anyway."""
        seen_at = np.maximum(-((self._first - times) // self._step), 0)
        places = np.flatnonzero(np.append(seen_at[1:] != seen_at[:-1], True))
        if 4 * len(places) > 3 * len(times):
            return None
        gaps = np.diff(places)
        if len(gaps) and (gaps == gaps[0]).all():
            return slice(int(places[0]), int(places[-1]) + 1, int(gaps[0]))
        return places


def share(row: ChunkRow, start: int, end: int) -> int:
    """About how many samples of each of its series a chunk has in [start, end], when it holds 64 of them or fewer."""
    inside = (min(end, row.last) - max(start, row.first) + 1) / (row.last - row.first + 1)
    return math.ceil(row.samples * min(1.0, inside))
