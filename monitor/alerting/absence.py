"""Absence: what was there, or should be, and from which nothing comes."""

from __future__ import annotations

import numpy as np

from monitor.alerting.conditions import AbsenceCondition
from monitor.alerting.durations import rough_duration
from monitor.alerting.model import Rule
from monitor.alerting.named import NamedRows, ascending
from monitor.alerting.world import World
from monitor.model.batch import Floats, Ids
from monitor.model.matchers import NAME_TAG, Selector
from monitor.model.series import SeriesKey


class AbsenceSource(NamedRows):
    """Seconds since anything came of every series that was there; and where none ever was, since the rule began to wait.

    A series is given the whole window after a start of the collector: while nobody listened, nobody can say that nothing was
    sent. One that is gone stays expected for the condition's `keep`, the last of a rule's for good.
    """

    def __init__(self) -> None:
        super().__init__()
        self._since: float | None = None
        self._seen: dict[int, float] = {}
        self._looked: Ids = np.empty(0, np.int32)
        self._own: list[int | None] = []
        self._any: int | None = None

    def read(self, rule: Rule, world: World) -> tuple[Ids, Floats]:
        condition = rule.condition
        assert isinstance(condition, AbsenceCondition)
        engine, now = world.engine, world.engine.now
        if self._since is None:
            self._since, self._any = now, self._expected(rule.selector)
        rows = engine.table.select(rule.selector)
        if not np.array_equal(rows, self._looked):
            infos = [engine.table.info(row) for row in rows.tolist()]
            self._own = [None if info is None else self.row_of(info.key, info.kind) for info in infos]
            self._looked = rows.copy()
        for own, age in zip(self._own, engine.column("age", condition.window, rows).tolist(), strict=True):
            if own is not None and age == age:
                self._seen[own] = now - age
        self._forget_old(now - condition.keep)
        values = {row: now - max(seen, self._since) for row, seen in self._seen.items()}
        if self._any is not None and self._any not in values:
            values[self._any] = 0.0 if values else now - self._since
        return ascending(values)

    def _forget_old(self, before: float) -> None:
        old = sorted((row for row, seen in self._seen.items() if seen < before), key=self._seen.__getitem__)
        old = old[: len(self._seen) - 1]
        self.forget(old)
        for row in old:
            del self._seen[row]

    def _expected(self, selector: Selector) -> int | None:
        """A row for what the selector names with certainty."""
        named = {matcher.name: matcher.value for matcher in selector.matchers if matcher.op == "=" and matcher.value}
        name = named.pop(NAME_TAG, "")
        return self.row_of(SeriesKey(name, tuple(sorted(named.items())))) if name or named else None

    def detail(self, row: int, rule: Rule, world: World) -> str:
        seen = self._seen.get(row)
        return (
            "never seen since the collector started"
            if seen is None
            else f"last seen {rough_duration(world.engine.now - seen)} ago"
        )
