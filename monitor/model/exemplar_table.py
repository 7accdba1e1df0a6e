"""The exemplars that are kept: a bounded table in order of arrival, thinned so that those stay which tell most.

Duplicates and order as Prometheus has them (tsdb/exemplar.go): an exemplar equal to the newest of its series is passed over, one
older than that by more than the out-of-order window is refused. Beyond that, of each series and second only the greatest value of
each power of ten is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats
from monitor.model.exemplars import Exemplars, Labels, Numbers
from monitor.model.series import KeySpace, SeriesKey

MOST_A_SERIES = 5_000
"""Of one series; its oldest go when the table is full."""
MOST_AHEAD = 600.0
"""Seconds an exemplar may lie ahead of the clock, as samples may."""
_LOOK_BACK = 16_384
"""Rows among which one of the same second is looked for: many ticks of what comes usually."""
_GIVEN_UP = 8
"""A full table gives up an eighth at once, so that it is put in order seldom."""
Places = npt.NDArray[np.int64]


class Rows(NamedTuple):
    """n exemplars as they are kept. `series` int64[n] numbers of the table, `times` and `values` float64[n], `traces`
    uint64[n, 2], `spans` uint64[n], `labels` object[n], `stamped` bool[n].
    """

    series: Places
    times: Floats
    values: Floats
    traces: Numbers
    spans: Numbers
    labels: Labels
    stamped: npt.NDArray[np.bool_]

    def take(self, which: Any) -> Rows:
        return Rows(*(column[which] for column in self))


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The exemplars of one series, by time."""

    key: SeriesKey
    rows: Rows


@dataclass(slots=True)
class ExemplarCounters:
    """What became of what came. `thinned`: another of the same second tells more. `crowded_out`: given up for newer ones."""

    taken: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    invalid: int = 0
    thinned: int = 0
    crowded_out: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What is kept at a moment, in order of arrival: `rows.series` are places in `keys`."""

    keys: list[SeriesKey]
    rows: Rows

    def find(self, selected: Callable[[SeriesKey], bool], start: float, end: float) -> list[Found]:
        """The exemplars of selected series between two times (both included, seconds), each series' by time."""
        numbers = [number for number, key in enumerate(self.keys) if selected(key)]
        return list(self._found(numbers, start, end)) if numbers else []

    def _found(self, numbers: list[int], start: float, end: float) -> Iterator[Found]:
        rows = self.rows
        rows = rows.take(np.isin(rows.series, numbers) & (rows.times >= start) & (rows.times <= end))
        rows = rows.take(np.lexsort((rows.values, rows.times, rows.series)))
        for part in np.split(np.arange(len(rows.series)), np.flatnonzero(np.diff(rows.series)) + 1):
            if len(part):
                yield Found(self.keys[int(rows.series[part[0]])], rows.take(part))


class ExemplarTable:
    """At most `limit` exemplars of all series. All methods belong to one thread.

    `window`: by how many seconds one may be older than the newest of its series; 0: none may, and of one time the values rise.
    """

    def __init__(self, limit: int, window: float = 0.0) -> None:
        self.limit, self.window = limit, window
        self.counters = ExemplarCounters()
        self.changes = 0
        """Rises with every change of what is kept."""
        self.fresh: Snapshot | None = None
        """What the last `add` kept."""
        self._keys: list[SeriesKey] = []
        self._numbers: dict[SeriesKey, int] = {}
        self._rows = no_rows()
        # Of each series the newest that came, be it kept or not.
        self._newest = no_rows()

    def __len__(self) -> int:
        return len(self._rows.series)

    @property
    def series(self) -> int:
        """How many series have exemplars."""
        return len(self._keys)

    # ------------------------------------------------------------ what comes in

    def add(self, batches: Iterable[Exemplars], now: float) -> None:
        """Take in what came since the last call, in the order of its times."""
        self.fresh = None
        parts = [self._numbered(batch) for batch in batches if len(batch)]
        if parts:
            self._add(_joined(parts), now)

    def _numbered(self, batch: Exemplars) -> Rows:
        found, places = np.unique(batch.ids, return_inverse=True)
        numbers = np.array([self._number(batch.space, series) for series in found.tolist()], np.int64)
        series = numbers[places.reshape(-1)]
        return Rows(series, batch.times, batch.values, batch.traces, batch.spans, batch.labels, batch.stamped)

    def _number(self, space: KeySpace, series: int) -> int:
        key = space.keys[series]
        number = self._numbers.setdefault(key, len(self._keys))
        if number == len(self._keys):
            self._keys.append(key)
        return number

    def _add(self, rows: Rows, now: float) -> None:
        counters = self.counters
        sound = np.isfinite(rows.values) & (rows.times > 0) & (rows.times <= now + MOST_AHEAD)  # a NaN time is not above 0
        rows, counters.invalid = rows.take(sound), counters.invalid + int(np.count_nonzero(~sound))
        rows = rows.take(np.lexsort((rows.values, rows.times, rows.series)))
        rows = self._in_order(rows)
        if len(rows.series):
            counters.taken += len(rows.series)
            self._keep(self._thinned(rows))
            self.changes += 1
        if len(self._keys) > self.limit + self.limit // _GIVEN_UP:
            self._shrink()

    def _in_order(self, rows: Rows) -> Rows:
        """Without duplicates and without what is older than the newest of its series."""
        newest = self._newest_of(rows.series)
        same = _equal(rows, newest)
        after = np.flatnonzero(rows.series[1:] == rows.series[:-1]) + 1
        same[after] |= _equal(rows.take(after), rows.take(after - 1))
        older = ~same & (rows.times < newest.times - self.window)
        if not self.window:
            older |= ~same & (rows.times == newest.times) & (rows.values < newest.values)
        self.counters.duplicates += int(np.count_nonzero(same))
        self.counters.out_of_order += int(np.count_nonzero(older))
        kept = ~(same | older)
        newer = kept & (rows.times >= newest.times)
        self._remember(rows.take(newer))
        return rows.take(kept)

    def _remember(self, rows: Rows) -> None:
        """The last of each series is its newest now."""
        last = _lasts(rows.series)
        for column, told in zip(self._newest[1:], rows[1:], strict=True):
            column[rows.series[last]] = told[last]

    def _newest_of(self, series: Places) -> Rows:
        size = len(self._keys)
        if size > len(self._newest.times):
            before = len(self._newest.times)
            self._newest = _grown(self._newest, size)
            self._newest.times[before:] = -np.inf
        return self._newest.take(series)

    def _thinned(self, rows: Rows) -> Rows:
        """Of each series, second and power of ten the greatest value; one kept before that is less gives its place up."""
        begin = max(0, len(self) - _LOOK_BACK)
        recent = np.flatnonzero(np.isin(self._rows.series[begin:], rows.series)) + begin
        both = _joined([self._rows.take(recent), rows])
        where = both.series, np.floor(both.times).astype(np.int64), _powers(both.values)
        order = np.lexsort((-both.values, *where))
        first = np.ones(len(order), np.bool_)
        first[1:] = np.any([column[order][1:] != column[order][:-1] for column in where], axis=0)
        groups = np.empty(len(order), np.int64)
        groups[order] = np.cumsum(first) - 1
        best = order[first]
        old, new = np.arange(len(recent)), best[best >= len(recent)]
        self.counters.thinned += len(rows.series) - len(new)
        # A new one that tells more than a kept one of its group stands in its place.
        held = np.full(len(best), -1, np.int64)
        held[groups[old]] = recent
        places = held[groups[new]]
        self.fresh = Snapshot(self._keys, both.take(new))
        for column, told in zip(self._rows, both.take(new), strict=True):
            column[places[places >= 0]] = told[places >= 0]
        return both.take(np.sort(new[places < 0]))

    # ------------------------------------------------------------ what is kept

    def _keep(self, rows: Rows) -> None:
        self._rows = _joined([self._rows, rows])
        if len(self) > self.limit:
            self._shrink()

    def _shrink(self) -> None:
        """Give up the oldest, and series without any."""
        before, rows = len(self), self._rows
        order = np.argsort(rows.series[::-1], kind="stable")  # of each series the newest first
        series = rows.series[::-1][order]
        ends = np.flatnonzero(_lasts(series)) + 1
        sizes = np.diff(ends, prepend=0)
        rank = np.arange(len(series)) - np.repeat(ends - sizes, sizes)
        kept = np.sort(len(series) - 1 - order[rank < MOST_A_SERIES])
        if before > self.limit:
            kept = kept[max(0, len(kept) - (self.limit - self.limit // _GIVEN_UP)) :]
        rows = rows.take(kept)
        self.counters.crowded_out += before - len(kept)
        alive, places = np.unique(rows.series, return_inverse=True)
        self._newest = self._newest_of(alive)
        self._keys = [self._keys[number] for number in alive.tolist()]
        self._numbers = {key: number for number, key in enumerate(self._keys)}
        self._rows = rows._replace(series=places.reshape(-1).astype(np.int64))

    def snapshot(self) -> Snapshot:
        """All that is kept, to be read by another thread."""
        return Snapshot(list(self._keys), self._rows.take(np.arange(len(self))))

    def find(self, selected: Callable[[SeriesKey], bool], start: float, end: float) -> list[Found]:
        """As `Snapshot.find`."""
        return self.snapshot().find(selected, start, end)

    def restore(self, kept: Snapshot) -> None:
        """Begin with what was kept before."""
        keys, rows = self._keys, self._rows = list(kept.keys), kept.rows
        self._numbers = {key: number for number, key in enumerate(keys)}
        self._newest = no_rows()
        self._newest_of(np.empty(0, np.int64))
        self._remember(rows.take(np.lexsort((rows.values, rows.times, rows.series))))
        if len(self) > self.limit:
            self._shrink()


def no_rows() -> Rows:
    """None at all."""
    return Rows(
        np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty((0, 2), np.uint64), np.empty(0, np.uint64), np.empty(0, object),
        np.empty(0, np.bool_),
    )  # fmt: skip


def _joined(parts: list[Rows]) -> Rows:
    return Rows(*(np.concatenate(columns) for columns in zip(*parts, strict=True))) if len(parts) > 1 else parts[0]


def _grown(rows: Rows, size: int) -> Rows:
    """The same with room for so many."""
    room = max(size, len(rows.times) + len(rows.times) // 2)
    more = room - len(rows.times)

    def longer(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.concatenate((column, np.zeros((more, *column.shape[1:]), column.dtype)))

    series, times, values, traces, spans, labels, stamped = rows
    return Rows(longer(series), longer(times), longer(values), longer(traces), longer(spans), longer(labels), longer(stamped))


def _lasts(series: Places) -> npt.NDArray[np.bool_]:
    """Where the rows of each series end; equal numbers stand together."""
    last = np.ones(len(series), np.bool_)
    last[:-1] = series[1:] != series[:-1]
    return last


def _equal(left: Rows, right: Rows) -> npt.NDArray[np.bool_]:
    """Whether exemplars are the same: labels, value, and the time where either was told one."""
    untimed = ~left.stamped & ~right.stamped
    same: npt.NDArray[np.bool_] = (
        (left.values == right.values) & (untimed | (left.times == right.times)) & (left.spans == right.spans)
    )
    same &= (left.traces == right.traces).all(axis=1)
    places = np.flatnonzero(same)
    same[places] = [left.labels[place] == right.labels[place] for place in places.tolist()]
    return same


def _powers(values: Floats) -> npt.NDArray[np.int8]:
    """The power of ten of each value, with its sign: -128 to 127 tell values apart from 1e-63 to 1e63."""
    sizes = np.abs(values)
    powers = np.floor(np.log10(np.where(sizes > 0, sizes, 1.0))) + 64
    signed: npt.NDArray[np.int8] = (np.sign(values) * np.clip(powers, 1, 127)).astype(np.int8)
    return signed
