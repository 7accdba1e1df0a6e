"""A small engine without input: each series is a function of time, so that any window of any past can be asked for."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from monitor.model.batch import Floats, Ids
from monitor.model.matchers import Selector
from monitor.model.series import Kind, SeriesInfo, SeriesKey
from monitor.windows.frame import PRIMARY, History, quantile_of

Places = npt.NDArray[np.int64]
Curve = Callable[[Floats], Floats]
"""Seconds since the epoch, float64[n], to what happened in each of those seconds."""
PAST = 7_500
"""Seconds before the beginning that can be asked for: an hour of history over a window of an hour."""
BLOCK = 600


def noise(times: Floats, seed: int) -> Floats:
    """Uniform on [0, 1), the same for the same second and seed. Do not write to it."""
    if len(times) > 1 and times[-1] - times[0] == len(times) - 1:
        return _noise_of(int(times[0]), len(times), seed)  # seconds in a row, as curves are asked for
    return _mixed(times.astype(np.int64), seed)


@functools.lru_cache(maxsize=512)
def _noise_of(first: int, count: int, seed: int) -> Floats:
    found = _mixed(np.arange(first, first + count), seed)
    found.flags.writeable = False
    return found


def _mixed(seconds: Places, seed: int) -> Floats:
    """By splitmix64's finaliser."""
    mixed = seconds.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed * 0x632BE59BD9B4E019 % (1 << 64))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (mixed ^ (mixed >> np.uint64(31))).astype(np.float64) / 2.0**64


def bell(times: Floats, seed: int) -> Floats:
    """Roughly normal noise of mean 0 and deviation 1."""
    total: Floats = sum((noise(times, seed * 4 + i) for i in range(4)), np.zeros(len(times)))
    return (total - 2.0) * math.sqrt(3.0)


@dataclass(eq=False)
class Script:
    """One series. `curve`: a gauge's reading, a counter's increment, a distribution's median, a set's members, each second.

    `counts`: observations a second of a distribution; `spread`: standard deviation of their logarithm. `silent_from`: no
    data from then on.
    """

    info: SeriesInfo
    curve: Curve
    counts: Curve | None = None
    spread: float = 0.5
    silent_from: float = math.inf
    start: float = 0.0
    _values: Floats = field(default_factory=lambda: np.empty(0))
    _counts: Floats = field(default_factory=lambda: np.empty(0))
    _sums: Floats = field(default_factory=lambda: np.zeros(1))
    _totals: Floats = field(default_factory=lambda: np.zeros(1))

    def at(self, name: str, window: float, times: Floats) -> Floats:
        """The field over the window ending at each of `times`; NaN where it has none."""
        ends = np.floor(times - self.start).astype(np.int64)
        width = max(1, int(window))
        self._reach(int(ends.max(initial=0)))
        ends = np.clip(ends, 0, len(self._values))
        starts = np.clip(ends - width, 0, None)
        totals = self._totals[ends] - self._totals[starts]
        answer = self._answer(PRIMARY[self.info.kind] if name == "value" else name, window, starts, ends, totals)
        return np.where(totals > 0, answer, np.nan)

    def known(self, times: Floats) -> tuple[Floats, Floats, Floats]:
        """What happened in each of these seconds, how often, and the total of it all by then; nothing before the beginning."""
        ends = np.floor(times - self.start).astype(np.int64)
        self._reach(int(ends.max(initial=0)))
        places = np.clip(ends - 1, 0, len(self._values) - 1)
        counts = np.where((ends >= 1) & (ends <= len(self._values)), self._counts[places], 0.0)
        return self._values[places], counts, self._sums[np.clip(ends, 0, len(self._values))]

    def _answer(self, name: str, window: float, starts: Places, ends: Places, totals: Floats) -> Floats:
        kind = self.info.kind
        sums = self._sums[ends] - self._sums[starts]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = sums / totals
        quantile = quantile_of(name)
        if kind is Kind.DISTRIBUTION:
            return self._spread_answer(name, window, mean, totals, quantile)
        if name in ("last", "age"):
            return self._last(name, ends)
        if name == "unique" and kind is Kind.SET:
            return self._values[ends - 1]
        if name in ("min", "max") or quantile is not None:
            share = {"min": 0.0, "max": 1.0}.get(name, quantile or 0.0)
            return self._order(share, starts, ends) if kind is Kind.GAUGE else np.full(len(ends), np.nan)
        answers = {"count": totals, "sum": sums, "mean": mean}
        if kind is Kind.COUNTER:
            answers |= {"rate": sums / window, "per_minute": 60.0 * sums / window}
        return answers.get(name, np.full(len(ends), np.nan))

    def _spread_answer(self, name: str, window: float, log_mean: Floats, totals: Floats, quantile: float | None) -> Floats:
        """A distribution's field, as if all observations of the window came from one lognormal."""
        typical = np.exp(log_mean + 0.5 * self.spread**2)
        extreme = np.sqrt(2.0 * np.log(np.maximum(totals, 2.0))) * self.spread
        if quantile is not None:
            return np.exp(log_mean + NormalDist().inv_cdf(quantile) * self.spread)
        return {
            "mean": typical,
            "last": typical,
            "sum": typical * totals,
            "count": totals,
            "rate": totals / window,
            "per_minute": 60.0 * totals / window,
            "max": np.exp(log_mean + extreme),
            "min": np.exp(log_mean - extreme),
        }.get(name, np.full(len(totals), np.nan))

    def _last(self, name: str, ends: Places) -> Floats:
        present = np.arange(len(self._counts)) * (self._counts > 0)
        newest = np.maximum.accumulate(present)[ends - 1]
        return self._values[newest] if name == "last" else (ends - 1 - newest).astype(np.float64)

    def _order(self, share: float, starts: Places, ends: Places) -> Floats:
        return np.array([_quantile(self._values[a:b], self._counts[a:b], share) for a, b in zip(starts, ends, strict=True)])

    def _reach(self, end: int) -> None:
        """Works out the seconds up to `end`, a block at a time, and keeps them."""
        have = len(self._values)
        if end <= have:
            return
        times = self.start + np.arange(have, end + BLOCK, dtype=np.float64)
        values = np.asarray(self.curve(times), np.float64)
        counts = np.ones(len(times)) if self.counts is None else np.maximum(self.counts(times), 0.0)
        counts = np.where((times >= self.silent_from) | ~np.isfinite(values), 0.0, counts)
        weighted = np.log(np.maximum(values, 1e-12)) if self.info.kind is Kind.DISTRIBUTION else values
        self._values, self._counts = np.append(self._values, values), np.append(self._counts, counts)
        self._totals = np.append(self._totals, self._totals[-1] + np.cumsum(counts))
        self._sums = np.append(self._sums, self._sums[-1] + np.cumsum(np.where(counts > 0, weighted * counts, 0.0)))


def _quantile(values: Floats, counts: Floats, share: float) -> float:
    present = values[counts > 0]
    return float(np.quantile(present, share)) if len(present) else math.nan


class FakeTable:
    """Rows of scripted series. `revision` and answers as `monitor.wire.source.Table` says."""

    def __init__(self) -> None:
        self.revision = 0
        self.scripts: dict[int, Script] = {}
        self._given: dict[int, int] = {}
        self._taken: dict[int, int] = {}

    def give(self, row: int, script: Script) -> None:
        self.revision += 1
        self.scripts[row] = script
        self._given[row] = self.revision
        self._taken.pop(row, None)

    def take(self, row: int) -> None:
        self.revision += 1
        del self.scripts[row], self._given[row]
        self._taken[row] = self.revision

    def info(self, row: int) -> SeriesInfo:
        return self.scripts[row].info

    def select(self, selector: Selector) -> Ids:
        return np.array([row for row, script in sorted(self.scripts.items()) if selector.matches(script.info.key)], np.int32)

    def added_since(self, revision: int) -> tuple[Iterable[SeriesInfo], Iterable[int]]:
        added = [self.scripts[row].info for row, given in self._given.items() if given > revision]
        gone = [row for row, taken in self._taken.items() if taken > revision] if revision else []
        return added, gone

    def row_of(self, key: SeriesKey) -> int | None:
        return next((row for row, script in self.scripts.items() if script.info.key == key), None)


class FakeEngine:
    """Scripted series and the time; answers as `monitor.wire.source.Engine` says."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.table = FakeTable()
        self._start = math.floor(now) - PAST
        self._next_row = 0

    def add(
        self, key: SeriesKey, kind: Kind, unit: str, curve: Curve, counts: Curve | None = None, spread: float = 0.5
    ) -> Script:
        """A new series from the beginning of the past on."""
        script = Script(SeriesInfo(self._next_row, key, kind, unit), curve, counts, spread, start=self._start)
        self.table.give(self._next_row, script)
        self._next_row += 1
        return script

    def column(self, field: str, window: float, rows: Ids) -> Floats:
        now = np.array([self.now])
        return np.array([self._one(row, field, window, now)[0] for row in rows.tolist()], np.float64)

    def history(self, rows: Ids, field: str, window: float, start: float, end: float, step: float) -> History:
        first = math.floor(max(start, self._start) / step) + 1
        times = np.arange(first, math.floor(min(end, self.now) / step) + 1, dtype=np.float64) * step
        values = np.array([self._one(row, field, window, times) for row in rows.tolist()], np.float64)
        return History(rows, times, values.reshape(len(rows), len(times)), step, field, window)

    def _one(self, row: int, field: str, window: float, times: Floats) -> npt.NDArray[np.float64]:
        script = self.table.scripts.get(row)
        return script.at(field, window, times) if script is not None else np.full(len(times), np.nan)
