"""An engine of a few series whose values a test sets, and rules in one line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from monitor.alerting.book import AlertBook
from monitor.alerting.model import Alert, Rule
from monitor.alerting.outcome import Outcome
from monitor.alerting.rules import parse_rules
from monitor.model.batch import Floats, Ids
from monitor.model.matchers import Selector
from monitor.model.series import Kind, SeriesInfo, SeriesKey, series_key
from monitor.windows.frame import History

NAN = float("nan")


class FakeTable:
    def __init__(self) -> None:
        self.infos: list[SeriesInfo | None] = []

    @property
    def kinds(self) -> npt.NDArray[np.int8]:
        return np.array([-1 if info is None else info.kind for info in self.infos], np.int8)

    def select(self, selector: Selector) -> Ids:
        return np.array([info.row for info in self.infos if info and selector.matches(info.key)], np.int32)

    def info(self, row: int) -> SeriesInfo | None:
        return self.infos[row]


class FakeEngine:
    """`set("errors", 5, host="a")` makes the series say 5 for every field; `asked` keeps what columns were asked for."""

    def __init__(self) -> None:
        self._table = FakeTable()
        self.values: dict[int, float] = {}
        self.asked: list[tuple[str, float, int]] = []
        self.broken: Exception | None = None
        self.now = 0.0

    def history(self, rows: Ids, field: str, window: float, start: float, end: float, step: float) -> History:
        raise ValueError("this engine has no past")

    @property
    def table(self) -> FakeTable:
        return self._table

    def column(self, field: str, window: float, rows: Ids) -> Floats:
        if self.broken is not None:
            raise self.broken
        self.asked.append((field, window, len(rows)))
        return np.array([self.values[row] for row in rows.tolist()], np.float64)

    def row(self, key: SeriesKey, kind: Kind) -> int | None:
        return next((i.row for i in self._table.infos if i and i.key == key and i.kind == kind), None)

    def set(self, name: str, value: float, kind: Kind = Kind.GAUGE, **tags: str) -> int:
        key = series_key(name, tags.items())
        row = self.row(key, kind)
        if row is None:
            row = next((n for n, info in enumerate(self._table.infos) if info is None), len(self._table.infos))
            info = SeriesInfo(row, key, kind)
            if row == len(self._table.infos):
                self._table.infos.append(info)
            else:
                self._table.infos[row] = info
        self.values[row] = value
        return row

    def vanish(self, name: str, kind: Kind = Kind.GAUGE, **tags: str) -> None:
        row = self.row(series_key(name, tags.items()), kind)
        assert row is not None
        self._table.infos[row] = None


def make_rule(id: str = "r", operator: str = "gt", value: float = 10, more: str = "", condition: str = "") -> Rule:  # noqa: A002  # a rule's own word
    text = f"""
[[rule]]
id = "{id}"
metric = "m"
condition = {{ type = "threshold", operator = "{operator}", value = {value}, window = "1m", field = "last"{condition} }}
{more}
"""
    return parse_rules(text, "test.toml")[0]


class Stage:
    """A book, an engine and rules; `at(5, a=11)` sets the series `m{s="a"}` to 11 and judges at time 1005."""

    def __init__(self, *rules: Rule, book: AlertBook | None = None) -> None:
        self.book = book or AlertBook(value_refresh=0)
        self.engine = FakeEngine()
        self.rules = rules or (make_rule(),)
        self.now = 1000.0

    def at(self, seconds: float, **values: float) -> Outcome:
        self.now = 1000.0 + seconds
        for name, value in values.items():
            self.engine.set("m", value, s=name)
        return self.book.judge(self.now, self.rules, self.engine)

    @property
    def alerts(self) -> Mapping[str, Alert]:
        """By the tag `s`."""
        return {dict(alert.labels)["s"]: alert for alert in self.book.alerts.values()}


def kinds(outcome: Outcome) -> list[str]:
    return [notification.kind for notification in outcome.notifications]


def event_kinds(outcome: Outcome) -> list[str]:
    return [event.kind for event in outcome.events]
