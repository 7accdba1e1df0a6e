"""The engine as anyone would write it at first: lists of points, filtered for each question. Slow and obvious."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from monitor.model.batch import Batch
from monitor.model.series import Kind, SeriesKey
from monitor.windows.frame import PRIMARY, quantile_of

Identity = tuple[SeriesKey, Kind]


@dataclass
class Point:
    time: float
    value: float
    weight: float
    tick: int

    @property
    def second(self) -> int:
        return math.floor(self.time)


@dataclass
class Series:
    began: float
    points: list[Point] = field(default_factory=list)

    def said(self, start: float, end: float) -> list[Point]:
        """Samples in [start, end), staleness markers left out."""
        return [p for p in self.points if start <= p.second < end and not math.isnan(p.value)]

    def latest(self, end: float = math.inf) -> Point | None:
        """The point of the greatest time before `end`; of equal times the one that came last."""
        latest = None
        for point in sorted((p for p in self.points if p.second < end), key=lambda p: p.tick):
            if latest is None or point.time >= latest.time:
                latest = point
        return latest


class Reference:
    """Same rules as `Engine`, without rows, overflow and derived metrics."""

    def __init__(self, lateness: float = 60.0, future: float = 10.0, idle_expiry: float = 3600.0) -> None:
        self.lateness, self.future, self.idle_expiry = lateness, future, idle_expiry
        self.now: int | None = None
        self.series: dict[Identity, Series] = {}
        self.levels: dict[Identity, float] = {}
        self.late = self.dropped_late = self.dropped_future = self.dropped_invalid = self.expired = 0
        self._ticks = 0
        self._batches: list[Batch] = []
        self._waiting: list[tuple[Identity, Point]] = []

    def ingest(self, batch: Batch) -> None:
        self._batches.append(batch)

    def tick(self, now: float) -> None:
        before, closed = self.now, max(math.floor(now), self.now or 0)
        now = max(now, closed)
        self._ticks += 1
        self.now = closed
        arrived = self._waiting
        for batch in self._batches:
            for place in range(len(batch)):
                accepted = self._accept(batch, place, now, before, closed)
                if accepted is not None:
                    arrived.append(accepted)
        self._batches = []
        self._waiting = [(identity, point) for identity, point in arrived if point.time >= closed]
        for identity, point in arrived:
            if point.time < closed:
                point.tick = self._ticks
                self.series[identity].points.append(point)
        self._expire(closed)

    def _accept(self, batch: Batch, place: int, now: float, before: int | None, closed: int) -> tuple[Identity, Point] | None:
        number, time, value = int(batch.ids[place]), float(batch.times[place]), float(batch.values[place])
        if time >= now + self.future:
            self.dropped_future += 1
            return None
        if time < closed - 3600 or (before is not None and time < before and time < now - self.lateness):
            self.dropped_late += 1
            return None
        if before is not None and time < before and time < now - 10.0:
            self.late += 1
        identity = (batch.space.keys[number], batch.space.kinds[number])
        kind = identity[1]
        self.series.setdefault(identity, Series(closed))
        if math.isnan(value) and kind not in (Kind.GAUGE, Kind.COUNTER):
            self.dropped_invalid += 1
            return None
        if kind is Kind.GAUGE:
            level = self.levels.get(identity, math.nan)
            if batch.relative is not None and batch.relative[place] and not math.isnan(value):
                value += 0.0 if math.isnan(level) else level
            self.levels[identity] = value
        weight = float(batch.weights[place]) if batch.weights is not None and kind is Kind.DISTRIBUTION else 1.0
        return identity, Point(time, value, weight, 0)

    def _expire(self, closed: int) -> None:
        waiting = {identity for identity, _ in self._waiting}
        for identity, series in list(self.series.items()):
            seen = max([series.began, *(p.time for p in series.points)])
            if seen < closed - self.idle_expiry and identity not in waiting:
                del self.series[identity]
                self.levels.pop(identity, None)
                self.expired += 1

    def begin(self, window: int, at: int) -> int:
        start = at - window
        return start if window <= 300 else start - start % 10

    def answer(self, identity: Identity, name: str, window: int) -> float:
        """The field over the window that ends at the last tick."""
        assert self.now is not None
        return self.over(identity, name, self.begin(window, self.now), self.now)

    def over(self, identity: Identity, name: str, start: int, end: int) -> float:
        series, kind = self.series[identity], identity[1]
        name = PRIMARY[kind] if name == "value" else name
        said = series.said(start, end)
        count = sum(p.weight for p in said)
        total = sum(p.value * p.weight for p in said)
        latest = series.latest(end)
        fraction = quantile_of(name)
        if fraction is not None:
            return quantile(said, fraction) if kind is Kind.DISTRIBUTION and said else math.nan
        if name == "last":
            return latest.value if latest and kind in (Kind.GAUGE, Kind.DISTRIBUTION) else math.nan
        if name == "age":
            return end - latest.time if latest else math.nan
        if name == "count":
            return count
        if name == "unique":
            return float(len({p.value for p in said})) if kind is Kind.SET else math.nan
        if name in ("min", "max"):
            values = [p.value for p in said]
            known = bool(values) and kind in (Kind.GAUGE, Kind.DISTRIBUTION)
            return (min(values) if name == "min" else max(values)) if known else math.nan
        if name == "mean":
            return total / count if count and kind is not Kind.SET else math.nan
        speaking = kind is Kind.COUNTER and latest is not None and not math.isnan(latest.value)
        amount = total if count or speaking or kind is Kind.DISTRIBUTION else math.nan
        if name == "sum":
            return amount if kind is not Kind.SET else math.nan
        per_second = {Kind.COUNTER: amount, Kind.DISTRIBUTION: count}.get(kind, math.nan) / (end - start)
        return per_second * 60 if name == "per_minute" else per_second


def quantile(points: list[Point], fraction: float) -> float:
    """Nearest rank: the least value that `fraction` of the weight lies at or below."""
    need = fraction * sum(p.weight for p in points)
    reached = 0.0
    for point in sorted(points, key=lambda p: p.value):
        reached += point.weight
        if reached >= need * (1 - 1e-12):
            return point.value
    raise AssertionError("the weights do not add up")
