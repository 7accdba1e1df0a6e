"""Fields of all rows over a window as dense columns, each computed once a tick when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.model.batch import Floats
from monitor.model.series import Kind
from monitor.model.table import SeriesTable
from monitor.windows.frame import PRIMARY, quantile_of
from monitor.windows.histogram import Histograms
from monitor.windows.lasts import Lasts
from monitor.windows.rings import SPAN, Rings
from monitor.windows.sets import Sets
from monitor.windows.totals import Bools, Totals


class FieldError(ValueError):
    """A field or window that cannot be answered; the message says which and what can."""


@dataclass(slots=True, eq=False)
class Store:
    """All that windows are made of."""

    table: SeriesTable
    rings: Rings
    histograms: Histograms
    sets: Sets
    lasts: Lasts


def whole_window(window: float) -> int:
    """The window in whole seconds. Raises `FieldError` when it is not within 1 s and an hour."""
    if not 1 <= window <= SPAN:
        raise FieldError(f"the window is {window:g} s; windows last from 1 to {SPAN} s")
    return round(window)


class Columns:
    """Columns as of the last tick; `renew` forgets them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, int], Floats] = {}

    def renew(self) -> None:
        self._known.clear()

    def column(self, field: str, window: float) -> Floats:
        """float64[capacity], NaN where there is no data. Raises `FieldError` for an unknown field or impossible window."""
        length = whole_window(window)
        known = self._known.get((field, length))
        if known is None:
            fraction = quantile_of(field)
            if fraction is not None:
                known = self._quantile(fraction, length)
            elif field in FIELDS_ANSWERED:
                known = FIELDS_ANSWERED[field](self, length)
            else:
                raise FieldError(f"no field {field!r}; fields are {', '.join(FIELDS_ANSWERED)} and quantiles such as p99.9")
            self._known[field, length] = known
        return known

    def _kinds(self, *kinds: Kind) -> Bools:
        every = self._store.table.kinds
        found: Bools = every == kinds[0]
        for kind in kinds[1:]:
            found |= every == kind
        return found

    def _total(self, window: int) -> Totals:
        return self._store.rings.total(window)

    def _value(self, window: int) -> Floats:
        found = np.full(self._store.table.capacity, np.nan)
        for kind, field in PRIMARY.items():
            rows = np.flatnonzero(self._store.table.kinds == kind)
            if len(rows):
                found[rows] = self.column(field, window)[rows]
        return found

    def _last(self, window: int) -> Floats:
        return np.where(self._kinds(Kind.GAUGE, Kind.DISTRIBUTION), self._store.lasts.values, np.nan)

    def _age(self, window: int) -> Floats:
        times = self._store.lasts.times
        return np.where(np.isfinite(times), (self._store.rings.now or 0) - times, np.nan)

    def _count(self, window: int) -> Floats:
        return np.where(self._store.table.kinds >= 0, self._total(window).counts, np.nan)

    def _sum(self, window: int) -> Floats:
        total = self._total(window)
        speaks = (total.counts > 0) | (self._kinds(Kind.COUNTER) & ~np.isnan(self._store.lasts.values))
        speaks |= self._kinds(Kind.DISTRIBUTION)
        return np.where(speaks & ~self._kinds(Kind.SET), total.sums, np.nan)

    def _rate(self, window: int) -> Floats:
        covered = float((self._store.rings.now or 0) - self._store.rings.start_of(window))
        observed = np.where(self._kinds(Kind.DISTRIBUTION), self._total(window).counts, np.nan)
        return np.where(self._kinds(Kind.COUNTER), self.column("sum", window), observed) / covered

    def _per_minute(self, window: int) -> Floats:
        return self.column("rate", window) * 60.0

    def _mean(self, window: int) -> Floats:
        total = self._total(window)
        kept = (total.counts > 0) & ~self._kinds(Kind.SET)
        return np.where(kept, total.sums / total.counts, np.nan)

    def _min(self, window: int) -> Floats:
        total = self._total(window)
        return np.where((total.counts > 0) & self._kinds(Kind.GAUGE, Kind.DISTRIBUTION), total.mins, np.nan)

    def _max(self, window: int) -> Floats:
        total = self._total(window)
        return np.where((total.counts > 0) & self._kinds(Kind.GAUGE, Kind.DISTRIBUTION), total.maxs, np.nan)

    def _unique(self, window: int) -> Floats:
        start = self._store.rings.start_of(window)
        found = self._store.sets.unique(start, self._store.table.capacity)
        return np.where(self._kinds(Kind.SET) & np.isnan(found), 0.0, found)

    def _quantile(self, fraction: float, window: int) -> Floats:
        middles = self._store.histograms.quantiles(window, [fraction], self._store.table.capacity)[0]
        total = self._total(window)
        clamped: Floats = np.clip(middles, total.mins, total.maxs)
        return clamped


FIELDS_ANSWERED: dict[str, Callable[[Columns, int], Floats]] = {
    "value": Columns._value,
    "last": Columns._last,
    "count": Columns._count,
    "sum": Columns._sum,
    "min": Columns._min,
    "max": Columns._max,
    "mean": Columns._mean,
    "rate": Columns._rate,
    "per_minute": Columns._per_minute,
    "unique": Columns._unique,
    "age": Columns._age,
}
