"""The command palette: actions, alerts, rules, series and moments, found by words in any order."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from monitor.model.series import Kind
from ui.views import filter as filters
from ui.views.actions import ACTIONS
from ui.views.alertbook import shape_of_alert, where
from ui.views.context import Context
from ui.views.format import sanitise
from ui.views.help import keys_words
from ui.views.moments import EXAMPLES, moment_of, stretch_of
from ui.views.page import moved
from ui.views.view import PaletteRow, PaletteView

MOST = 40
HIDDEN = frozenset(
    ("palette.open", "cursor.down", "cursor.up", "cursor.home", "cursor.end", "cursor.page_down", "cursor.page_up")
)
Enabled = Callable[[str], tuple[bool, str]]


class Palette:
    """What is typed and found while the palette is open."""

    def __init__(self, ctx: Context, enabled: Enabled) -> None:
        self.ctx = ctx
        self.is_open = False
        self.query = ""
        self.cursor = 0
        self._enabled = enabled
        self.more: list[Callable[[filters.Filter], list[PaletteRow]]] = []
        """Others who know rows for what is typed."""
        self._rows: tuple[object, tuple[PaletteRow, ...]] = (None, ())

    def open(self, query: str = "") -> None:
        """Show it with this text."""
        self.is_open, self.query, self.cursor = True, query, 0
        self._rows = (None, ())

    def close(self) -> None:
        self.is_open, self.query = False, ""

    def type(self, text: str) -> None:
        """What is written now."""
        self.query, self.cursor = text[: filters.MAX_FILTER], 0

    def move(self, by: int) -> None:
        self.cursor = moved(self.cursor, by, len(self.rows()))

    def chosen(self) -> PaletteRow | None:
        """The row under the cursor."""
        rows = self.rows()
        return rows[moved(self.cursor, 0, len(rows))] if rows else None

    def rows(self) -> tuple[PaletteRow, ...]:
        """Actions first, then alerts, rules, series and moments."""
        key = (
            self.query,
            self.ctx.book.revision,
            self.ctx.index.revision,
            self.ctx.mirror.rules,
            self.ctx.mirror.state.state,
            self._minute(),
        )
        if self._rows[0] != key:
            self._rows = (key, self._find())
        return self._rows[1]

    def _minute(self) -> object:
        """Moments are written from now: a question about one is answered anew each second."""
        return self.ctx.live_present() if self.query.lstrip().startswith(("@", "-")) else None

    def view(self) -> PaletteView:
        """The picture."""
        rows = self.rows()
        return PaletteView(self.query, rows, moved(self.cursor, 0, len(rows)))

    # ------------------------------------------------------------ finding

    def _find(self) -> tuple[PaletteRow, ...]:
        moments = self._moments()
        if moments:
            return moments
        try:
            wanted = filters.parse(self.query)
        except filters.FilterError:
            return ()
        rows = self._actions(wanted)
        if wanted:
            rows += self._alerts(wanted) + self._rules(wanted)
            for find in self.more:
                rows += find(wanted)
            rows += self._series(wanted)
        return tuple(rows[:MOST])

    def _actions(self, wanted: filters.Filter) -> list[PaletteRow]:
        rows: list[tuple[bool, PaletteRow]] = []
        for action in ACTIONS:
            text = f"{action.title} {action.help} {action.section}".lower()
            if action.name in HIDDEN or not wanted.matches(text, lambda key: None):
                continue
            on, reason = self._enabled(action.name)
            in_title = wanted.matches(action.title.lower(), lambda key: None)
            row = PaletteRow(action.title, action.help if on else reason, keys_words(action), f"action:{action.name}", enabled=on)
            rows.append((not in_title, row))
        rows.sort(key=lambda r: (r[0], not r[1].enabled))
        return [row for _, row in rows]

    def _alerts(self, wanted: filters.Filter) -> list[PaletteRow]:
        """Alerts, and what can be done to one where the words name that too: `sil ord` silences an alert of orders."""
        book = self.ctx.book
        found, acts = [], []
        for group in ("Firing", "Pending", "Silenced"):
            for alert in book.group(group):
                title, text = f"{book.title(alert)}: {where(alert)}", f"{book.haystack(alert)} alert {group.lower()}"
                lookup = functools.partial(book.lookup, alert)
                shape = shape_of_alert(alert)
                if wanted.matches(text, lookup):
                    found.append(PaletteRow(title, f"alert, {group.lower()}", "", f"alert:{alert.id}", shape))
                    continue
                acknowledge = "Release" if alert.ack is not None else "Acknowledge"
                for verb, key, target in (("Silence", "S", "silence"), (acknowledge, "A", "acknowledge")):
                    if not (verb == "Silence" and group == "Silenced") and wanted.matches(f"{verb.lower()} {text}", lookup):
                        acts.append(PaletteRow(f"{verb} {title}", f"alert, {group.lower()}", key, f"{target}:{alert.id}", shape))
        return found[:10] + acts[:10]

    def _rules(self, wanted: filters.Filter) -> list[PaletteRow]:
        rows = []
        for rule in self.ctx.book.rules.values():
            text = f"{rule.name} {rule.id} {rule.severity} rule in {rule.file} {rule.selector}".lower()
            if wanted.matches(text, {"file": rule.file, "severity": rule.severity}.get):
                detail = f"rule in {sanitise(rule.file, 60)}"
                rows.append(PaletteRow(sanitise(rule.name or rule.id, 80), detail, "", f"rule:{rule.id}"))
        return rows[:10]

    def _series(self, wanted: filters.Filter) -> list[PaletteRow]:
        """Series by name, tags and, as it stands in the row, their kind."""
        kinds = {kind.name.lower() for kind in Kind}
        found = self.ctx.index.search(wanted)
        said = [term for term in wanted.words if term.value in kinds and not term.negated]
        if not found and said:
            others = tuple(term for term in wanted.words if term not in said)
            narrowed = filters.Filter(others, (*wanted.keyed, *(filters.Term("kind", "=", term.value) for term in said)))
            found = self.ctx.index.search(narrowed)
        rows = []
        for info in found[:12]:
            tags = self.ctx.index.tags_text(info)
            detail = f"{info.kind.name.lower()}{', ' + tags if tags else ''}"
            rows.append(PaletteRow(sanitise(info.key.name, 80), detail, "", f"series:{info.row}"))
        return rows

    def _moments(self) -> tuple[PaletteRow, ...]:
        """The moment or the stretch that is written; after a bare `@`, how one is written."""
        ctx = self.ctx
        present = ctx.live_present()
        if self.query.strip() == "@":
            return tuple(self._stretch(said, said) or self._row(said, moment_of(said, ctx), said) for said in EXAMPLES)
        stretch = self._stretch(self.query)
        if stretch is not None:
            return (stretch,)
        at = moment_of(self.query, ctx)
        return (self._row(f"Go to {ctx.words.moment(at, present, seconds=True)}", at, ""),) if at is not None else ()

    def _stretch(self, text: str, title: str = "") -> PaletteRow | None:
        ctx, present = self.ctx, self.ctx.live_present()
        found = stretch_of(text, ctx)
        if found is None:
            return None
        start, end = found
        words = f"{ctx.words.moment(start, present)} to {ctx.words.moment(end, present)}"
        row = self._row(title or f"Look at {words}", end, "", f"span:{start:.0f}:{end:.0f}")
        return replace(row, detail=words) if title and row.enabled else row

    def _row(self, title: str, at: float | None, said: str, target: str = "") -> PaletteRow:
        ctx = self.ctx
        present, oldest = ctx.live_present(), ctx.live_present() - ctx.recent_live
        if at is None or not oldest <= at <= present:
            return PaletteRow(title, f"Kept from {ctx.words.moment(oldest, present)}", "", target or "time:0", enabled=False)
        detail = "Rewind: everything as it was then" if ctx.past.possible else "Stop there and look"
        if said:
            detail = ctx.words.moment(at, present, seconds=True)
        return PaletteRow(title, detail, "", target or f"time:{at:.0f}")
