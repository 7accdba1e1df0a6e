"""The list of the Alerts page: group, filter, order that stands still while somebody reads, marks and the cursor."""

from __future__ import annotations

import math

from monitor.alerting.model import Alert
from ui.views import filter as filters
from ui.views.alertbook import GROUPS, SORTS, gravest_first, newest_first
from ui.views.context import Context
from ui.views.page import FAR, moved


class AlertList:
    """Which alerts are shown in which order. The cursor keeps its alert when the order changes."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.group = GROUPS[0]
        self.sort = SORTS[0]
        self.text = ""
        self.error = ""
        self.marks: set[str] = set()
        self.new_above = 0
        self._filter = filters.Filter()
        self._cursor = 0
        self._cursor_id = ""
        self._order: list[str] = []
        self._scope: object = None
        self._revision = -1
        self._last_mark = ""

    # ------------------------------------------------------------ order

    def alerts(self) -> list[Alert]:
        """The alerts of the group that the filter lets pass, in the order shown."""
        book = self.ctx.book
        scope = (self.group, self.sort, self._filter)
        if scope != self._scope:
            self._scope, self._revision, self._order = scope, -1, self._wanted()
            self.new_above = 0
        elif self._revision != book.revision or self.new_above:
            wanted = self._wanted()
            if self.ctx.settled():
                self._order, self.new_above = wanted, 0
            else:
                self._hold(wanted)
        self._revision = book.revision
        held = self.ctx.mirror.alerts
        self._order = [i for i in self._order if i in held]
        return [held[i] for i in self._order]

    def _wanted(self) -> list[str]:
        book = self.ctx.book
        found = [a for a in book.group(self.group) if self._passes(a)]
        return [a.id for a in sorted(found, key=self._key)]

    def _passes(self, alert: Alert) -> bool:
        return not self._filter or self._filter.matches(
            self.ctx.book.haystack(alert), lambda key: self.ctx.book.lookup(alert, key)
        )

    def _hold(self, wanted: list[str]) -> None:
        """Somebody reads: rows keep their place, new ones wait above (or join at the end when they belong below)."""
        known = set(self._order)
        new = [i for i in wanted if i not in known]
        place = {i: n for n, i in enumerate(wanted)}
        top = min((place[i] for i in self._order if i in place), default=FAR)
        above = [i for i in new if place[i] < top]
        self._order += [i for i in new if place[i] >= top]
        self.new_above = len(above)

    def _key(self, alert: Alert) -> tuple[object, ...]:
        match self.sort:
            case "newest":
                return newest_first(alert)
            case "name":
                return (self.ctx.book.title(alert).lower(), alert.id)
            case "value":
                value = alert.value if alert.value is not None and math.isfinite(alert.value) else -math.inf
                excess = value / alert.threshold if alert.threshold else value
                return (-excess if alert.operator in ("gt", "gte") else excess, alert.id)
        return gravest_first(alert)

    def settle(self) -> None:
        """Put the list in order now."""
        self._order, self.new_above = self._wanted(), 0

    # ------------------------------------------------------------ cursor and marks

    def place(self, count: int | None = None) -> int:
        """Index of the cursor."""
        if self.group == "Silences":
            return moved(self._cursor, 0, count or 0)
        alerts = self.alerts()
        at = next((i for i, a in enumerate(alerts) if a.id == self._cursor_id), None)
        self._cursor = at if at is not None else moved(self._cursor, 0, len(alerts))
        self._cursor_id = alerts[self._cursor].id if alerts else ""
        return self._cursor

    def current(self) -> Alert | None:
        """The alert under the cursor."""
        alerts = self.alerts()
        return alerts[self.place()] if alerts and self.group != "Silences" else None

    def go(self, index: int, count: int) -> None:
        """Put the cursor on a row."""
        self._cursor = moved(0, index, count)
        alerts = self.alerts() if self.group != "Silences" else []
        self._cursor_id = alerts[self._cursor].id if self._cursor < len(alerts) else ""

    def seek(self, alert: Alert, group: str) -> None:
        """Show this alert: its group, without a filter that hides it."""
        if self.group != group:
            self.choose_group(group)
        if not self._passes(alert):
            self.set_text("")
        self.settle()
        self._cursor_id = alert.id

    def toggle(self, index: int) -> None:
        """Mark or unmark a row."""
        alerts = self.alerts()
        if 0 <= index < len(alerts):
            self._last_mark = alerts[index].id
            self.marks ^= {self._last_mark}

    def mark_range(self) -> None:
        """All rows from the last mark to the cursor."""
        ids = [a.id for a in self.alerts()]
        if not ids:
            return
        here = self.place()
        start = ids.index(self._last_mark) if self._last_mark in ids else here
        low, high = sorted((start, here))
        self.marks |= set(ids[low : high + 1])

    def mark_all(self) -> None:
        """Every row the filter shows; again: none."""
        ids = {a.id for a in self.alerts()}
        self.marks = set() if ids and ids <= self.marks else self.marks | ids

    def targets(self) -> list[Alert]:
        """What acting means: the marked alerts, else the one under the cursor."""
        marked = [a for a in self.ctx.mirror.alerts.values() if a.id in self.marks]
        if marked:
            return sorted(marked, key=gravest_first)
        current = self.current()
        return [current] if current is not None else []

    # ------------------------------------------------------------ choices

    def set_text(self, text: str) -> None:
        """The filter as typed; while it cannot be read the last good one holds."""
        self.text = text[: filters.MAX_FILTER]
        self._filter, self.error = filters.attempt(self.text, self._filter)
        self.error = f"{self.error}." if self.error and self.error[-1] not in ".!?" else self.error

    def choose_group(self, name: str) -> bool:
        """Show another group; marks are of one group only."""
        if name not in GROUPS:
            return False
        if name != self.group:
            self.group, self._cursor, self._cursor_id = name, 0, ""
            self.marks = set()
        return True

    def next_group(self, by: int) -> None:
        self.choose_group(GROUPS[(GROUPS.index(self.group) + by) % len(GROUPS)])

    def next_sort(self) -> None:
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
