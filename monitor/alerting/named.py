"""Rows that a source gives out itself, and the aggregates of series that share labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from monitor.alerting.judge import Engine, read
from monitor.alerting.model import Rule
from monitor.alerting.world import Instance, World
from monitor.model.batch import Floats, Ids
from monitor.model.series import Kind, SeriesInfo, SeriesKey

MAX_KNOWN = 10_000
"""Series that one rule remembers by name: groups, expected ones, those of an answer."""


class NamedRows:
    """Rows that a source gives out itself: one for each series it speaks of, the same as long as it remembers it."""

    def __init__(self) -> None:
        self._rows: dict[SeriesKey, int] = {}
        self._infos: dict[int, SeriesInfo] = {}
        self._next = 0

    def row_of(self, key: SeriesKey, kind: Kind = Kind.GAUGE) -> int | None:
        """The row of a series, a new one when it is not known; None when there is no room."""
        row = self._rows.get(key)
        if row is None:
            if len(self._rows) >= MAX_KNOWN:
                return None
            row = self._rows[key] = self._next
            self._infos[row] = SeriesInfo(row, key, kind)
            self._next += 1
        return row

    def forget(self, rows: Iterable[int]) -> None:
        for row in rows:
            info = self._infos.pop(row, None)
            if info is not None:
                del self._rows[info.key]

    def known(self) -> list[int]:
        return list(self._infos)

    def info(self, row: int, world: World) -> SeriesInfo | None:
        return self._infos.get(row)

    def instance(self, row: int) -> Instance | None:
        return None

    def detail(self, row: int, rule: Rule, world: World) -> str:
        return ""


def ascending(values: Mapping[int, float]) -> tuple[Ids, Floats]:
    rows = np.array(sorted(values), np.int32)
    return rows, np.array([values[row] for row in rows.tolist()], np.float64)


AGGREGATES: dict[str, Callable[[Floats, Ids, int], Floats]] = {
    "sum": lambda values, group, count: np.bincount(group, values, count).astype(np.float64),
    "count": lambda values, group, count: np.bincount(group, minlength=count).astype(np.float64),
    "mean": lambda values, group, count: np.bincount(group, values, count) / np.bincount(group, minlength=count),
    "min": lambda values, group, count: _extreme(np.minimum, np.inf, values, group, count),
    "max": lambda values, group, count: _extreme(np.maximum, -np.inf, values, group, count),
}


def _extreme(ufunc: np.ufunc, start: float, values: Floats, group: Ids, count: int) -> Floats:
    result = np.full(count, start)
    ufunc.at(result, group, values)
    return result


class GroupSource(NamedRows):
    """The aggregate of all series that share the values of the rule's `group_by` labels."""

    def __init__(self) -> None:
        super().__init__()
        self._placed: tuple[Ids, Ids] = np.empty(0, np.int32), np.empty(0, np.int32)

    def read(self, rule: Rule, world: World) -> tuple[Ids, Floats]:
        rows, values = read(rule, world.engine)
        groups = self._groups_of(rule, rows, world.engine)
        inside = groups >= 0
        live = np.unique(groups[inside])
        there = inside & ~np.isnan(values)
        totals = np.full(len(live), np.nan)
        if there.any():
            present, group = np.unique(groups[there], return_inverse=True)
            aggregate = AGGREGATES[rule.aggregate](values[there], group.astype(np.int32), len(present))
            totals[np.searchsorted(live, present)] = aggregate
        return live.astype(np.int32), totals

    def _groups_of(self, rule: Rule, rows: Ids, engine: Engine) -> Ids:
        if len(rows) != len(self._placed[0]) or not np.array_equal(rows, self._placed[0]):
            groups = np.array([self._group_of(rule, engine.table.info(row)) for row in rows.tolist()], np.int32)
            self.forget(set(self.known()) - set(groups.tolist()))
            self._placed = rows.copy(), groups
        return self._placed[1]

    def _group_of(self, rule: Rule, info: SeriesInfo | None) -> int:
        if info is None:
            return -1
        tags = dict(info.key.tags)
        labels = tuple(sorted((name, tags[name]) for name in rule.group_by or () if name in tags))
        row = self.row_of(SeriesKey(info.key.name, labels), Kind.GAUGE)
        return -1 if row is None else row
