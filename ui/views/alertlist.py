"""The list of the Alerts page: group, filter, order that stands still while somebody reads, marks and the cursor."""

from __future__ import annotations

import math

from monitor.alerting.incidents import Incident
from monitor.alerting.model import Alert
from ui.views import filter as filters
from ui.views.alertbook import GROUPS, SORTS, gravest_first, newest_first
from ui.views.alertincidents import Incidents
from ui.views.context import Context
from ui.views.format import sanitise
from ui.views.overview_parts import quiet
from ui.views.page import FAR, moved

HEADED = "Firing"
"""The group that incidents head."""


class AlertList:
    """Which alerts are shown in which order, headed by their incidents. The cursor keeps its row when the order changes."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.incidents = Incidents(ctx)
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
        self._rows: tuple[object, list[Alert | Incident]] = (None, [])

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
        self.incidents.settle()

    def rows(self) -> list[Alert | Incident]:
        """What is listed: each incident of which two alerts or more are shown, then its alerts; then those of none."""
        alerts = self.alerts()
        if self.group != HEADED:
            return list(alerts)
        self.incidents.refresh()
        key = (self.ctx.book, self.ctx.book.revision, self.incidents.revision, self._order)
        if self._rows[0] != key:
            self._rows = (key, self.incidents.arrange(alerts))
        return self._rows[1]

    # ------------------------------------------------------------ cursor and marks

    def place(self, count: int | None = None) -> int:
        """Index of the cursor."""
        if self.group == "Silences":
            return moved(self._cursor, 0, count or 0)
        return self._at(self.rows())

    def _at(self, rows: list[Alert | Incident]) -> int:
        at = next((i for i, row in enumerate(rows) if row.id == self._cursor_id), None)
        self._cursor = at if at is not None else moved(self._cursor, 0, len(rows))
        self._cursor_id = rows[self._cursor].id if rows else ""
        return self._cursor

    def chosen(self) -> Alert | Incident | None:
        """What the cursor is on."""
        rows = self.rows() if self.group != "Silences" else []
        return rows[self._at(rows)] if rows else None

    def current(self) -> Alert | None:
        """The alert under the cursor; of an incident its probable cause."""
        chosen = self.chosen()
        return self.incidents.first(chosen) if isinstance(chosen, Incident) else chosen

    def fold(self) -> bool:
        """Fold or unfold the incident under the cursor, or that of the alert there; False where there is none."""
        chosen = self.chosen()
        incident = chosen if isinstance(chosen, Incident) or chosen is None else self.incidents.of(chosen.id)
        if incident is None:
            return False
        self.incidents.fold(incident.id)
        self._cursor_id = incident.id
        return True

    def go(self, index: int, count: int) -> None:
        """Put the cursor on a row."""
        self._cursor = moved(0, index, count)
        rows = self.rows() if self.group != "Silences" else []
        self._cursor_id = rows[self._cursor].id if self._cursor < len(rows) else ""

    def seek(self, alert: Alert, group: str) -> None:
        """Show this alert: its group, without a filter that hides it."""
        if self.group != group:
            self.choose_group(group)
        if not self._passes(alert):
            self.set_text("")
        self.settle()
        self.incidents.unfold(alert.id)
        self._cursor_id = alert.id

    def _of(self, row: Alert | Incident) -> list[str]:
        """The ids of the alerts that a row stands for."""
        return [row.id] if isinstance(row, Alert) else [a.id for a in self.incidents.members(row)]

    def toggle(self, index: int) -> None:
        """Mark or unmark a row; an incident's is all its alerts."""
        rows = self.rows()
        if 0 <= index < len(rows):
            self._last_mark = rows[index].id
            ids = set(self._of(rows[index]))
            self.marks = self.marks - ids if ids <= self.marks else self.marks | ids

    def mark_range(self) -> None:
        """All rows from the last mark to the cursor."""
        rows = self.rows()
        if not rows:
            return
        here = self.place()
        start = next((i for i, row in enumerate(rows) if row.id == self._last_mark), here)
        low, high = sorted((start, here))
        self.marks |= {name for row in rows[low : high + 1] for name in self._of(row)}

    def mark_all(self) -> None:
        """Every row the filter shows; again: none."""
        ids = {a.id for a in self.alerts()}
        self.marks = set() if ids and ids <= self.marks else self.marks | ids

    def targets(self) -> list[Alert]:
        """What acting means: the marked alerts, else the one under the cursor, or all of the incident there."""
        marked = [a for a in self.ctx.mirror.alerts.values() if a.id in self.marks]
        if marked:
            return sorted(marked, key=gravest_first)
        chosen = self.chosen()
        if isinstance(chosen, Incident):
            return sorted(self.incidents.members(chosen), key=gravest_first)
        return [chosen] if chosen is not None else []

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


def nothing(ctx: Context, group: str, text: str) -> str:
    """What an empty list says."""
    if text:
        return f"No alert here matches {sanitise(text, 60)}."
    if ctx.mirror.hello is None:
        return "Waiting for the collector."
    match group:
        case "Firing":
            return quiet(ctx)
        case "Pending":
            return "Nothing is pending."
        case "Silenced":
            return "No alert is silenced."
        case "Resolved":
            return "Nothing has resolved lately."
    return "No silences. S on an alert starts one."
