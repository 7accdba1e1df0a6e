"""The picture of Explore's queries: rows, chart, table, histograms, and what has to be said of the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ui.views.format import duration, plural, sanitise, value
from ui.views.queries import Query
from ui.views.queryadvice import nothing_found
from ui.views.queryanswers import Held
from ui.views.querychart import Shown, series_names
from ui.views.queryedit import NAME_FOCUS, coloured
from ui.views.querytable import RANGE_HEADS, histograms, table
from ui.views.queryunits import unit_from
from ui.views.queryview import HistogramView, QueriesView, QueryRow, TableView, View
from ui.views.view import ChartView, Value

if TYPE_CHECKING:
    from ui.views.exploredeck import Deck

SLOW = 0.4
"""Seconds after which it is said that an answer is under way."""


class DeckPicture:
    """One picture of the queries."""

    def __init__(self, deck: Deck) -> None:
        self.deck = deck
        self.ctx = deck.ctx
        self.queries = deck.queries
        self.editor = deck.editor

    def look(self) -> tuple[QueriesView, ChartView]:
        """The queries and their chart now."""
        self.queries.settle()
        view = self.deck.view_name
        shown = self.deck.asked(view == "instant")
        letters = len(shown) > 1
        chart_of = shown if view != "instant" else self.deck.asked(False)
        note = self._note(shown)
        charts = self.deck.lines.charts(chart_of, self.deck.step(), self._empty(chart_of), note)
        bars = self._histograms(shown)
        held = next((one.held for one in shown if one.query is self.queries.current), None)
        hint, action = self._hint()
        queries = QueriesView(
            rows=tuple(self._row(q, shown) for q in self.queries.items),
            cursor=self.queries.cursor if self.queries else 0,
            view=view,
            step=f"step {duration(self.deck.step())}",
            editor=self.editor.view(held),
            table=self._table(shown, view, letters),
            charts=charts[1:],
            histograms=bars,
            note=note,
            naming=self.editor.name if self.ctx.focus == NAME_FOCUS else None,
            hint=hint,
            action=action,
        )
        return queries, charts[0]

    def _row(self, query: Query, shown: list[Shown]) -> QueryRow:
        one = next((s for s in shown if s.query is query), None)
        held = one.held if one is not None else None
        problem = self.editor.problem(query, held)
        place = (query.slot, "instant" if self.deck.view_name == "instant" else "range")
        waiting = self.deck.answers.waited(place) >= SLOW and not query.hidden
        note, wrong = self._row_note(query, held, problem is not None)
        writing = self.editor.writing is query and self.editor.completer.offers(query.text, self.editor.caret)[0]
        return QueryRow(
            query.letter,
            query.colour,
            query.text,
            coloured(query.text),
            query.hidden,
            note,
            wrong,
            waiting,
            None if writing else problem,
        )

    def _row_note(self, query: Query, held: Held | None, broken: bool) -> tuple[str, bool]:
        if not query.text.strip():
            return "", False
        if broken and not (held is not None and held.error):
            return ("cannot be read yet", False) if self.editor.writing is query else ("cannot be read", True)
        if query.hidden:
            return "hidden", False
        if held is None:
            return "asking …", False
        if held.error:
            return held.error, True
        assert held.result is not None
        count = max(held.result.total, len(held.labels))
        took = f", {duration(held.took)}" if 0.001 <= held.took < 100 else ""
        return ("text" if held.result.kind == "string" else plural(count, "series", "series")) + took, False

    def _table(self, shown: list[Shown], view: View, letters: bool) -> TableView | None:
        """The table; the same object as long as answers, colours and words are."""
        if view == "chart" and not any(one.held for one in shown):
            return None
        words, (start, end) = self.ctx.words, self.ctx.span()
        instant = view == "instant"
        at = f"at {words.clock(self.deck.moment())}" if instant else f"{words.minute(start)} to {words.minute(end)}"
        numbers = tuple((one.query.slot, one.held.number if one.held else 0, one.unit) for one in shown)
        key = (numbers, instant, at, letters, self.deck.lines.colours)
        colour_of = self.deck.lines.colour_of
        return self.deck.kept("table", key, lambda: table(shown, ("Value",) if instant else RANGE_HEADS, at, colour_of, letters))

    def _histograms(self, shown: list[Shown]) -> tuple[HistogramView, ...]:
        """Bars of the queries whose answers are histograms; the same objects as long as those are."""
        found = self.deck.of_histograms(shown)
        numbers = tuple((one.query.slot, one.held.number if one.held else 0, one.unit) for one in found)
        return self.deck.kept("histograms", (numbers, self.deck.lines.colours), lambda: tuple(self._bars(found)))

    def _bars(self, found: list[Shown]) -> list[HistogramView]:
        views: list[HistogramView] = []
        for one in found:
            quantity = self.deck.quantity(one.query.running)
            inside = unit_from(quantity.inside if quantity is not None else None)
            names = series_names(one.held.labels if one.held is not None else (), one.query.letter)
            views += histograms(one, inside, self.deck.lines.colour_of, names)
        return views

    # ------------------------------------------------------------ words

    def _note(self, shown: list[Shown]) -> str:
        """What the answers have to be read with, the gravest first."""
        notes: list[str] = []
        for one in shown:
            result = one.held.result if one.held is not None else None
            if result is None:
                continue
            notes += [_plain_note(text) for text in result.warnings[:2]]
            if result.resolution > 0:
                notes.append(f"{duration(result.resolution)} resolution: nothing finer is kept of this time.")
            if result.total > len(result.labels):
                notes.append(f"The first {len(result.labels):,} of {result.total:,} series.")
            notes += [_plain_note(text) for text in result.infos[:2] if "resolution" not in text]
        return " ".join(dict.fromkeys(notes))

    def _empty(self, shown: list[Shown]) -> str:
        """Why there is no line: never an empty grid."""
        if not self.queries:
            return ""
        if not shown:
            blank = all(not q.text.strip() for q in self.queries.items)
            if blank:
                return "Write a query: E, then a metric's name. Names are offered as you type."
            unread = any(not q.running and not q.hidden for q in self.queries.items)
            return "The query cannot be read yet." if unread else "All queries are hidden. H shows the one under the cursor."
        errors = [one.held.error for one in shown if one.held is not None and one.held.error]
        if errors:
            return errors[0]
        if any(one.held is None for one in shown):
            return self._waiting(shown)
        text = next((one.held.result.text for one in shown if one.held is not None and one.held.result is not None), "")
        if text:
            return sanitise(text, 400)
        if any(one.held is not None and len(one.held.labels) for one in shown):
            return "The answer has histograms, not numbers." if self._are_histograms(shown) else "No values in this range."
        return nothing_found(self.ctx, shown[0].query.running)

    def _waiting(self, shown: list[Shown]) -> str:
        """Before the first answer: nothing for a moment, so that nothing flickers."""
        if not self.ctx.live.mirror.connected:
            return self.ctx.refusal()
        slow = any(self.deck.answers.waited((one.query.slot, "range")) >= SLOW for one in shown)
        return "Asking the collector …" if slow else " "

    @staticmethod
    def _are_histograms(shown: list[Shown]) -> bool:
        return any(one.held is not None and len(one.held.labels) and not np.isfinite(one.held.rows).any() for one in shown)

    def _hint(self) -> tuple[str, str]:
        current = self.queries.current
        words, text = self.deck.suggested(current) if current is not None and not current.hidden else ("", "")
        return (words, "query.fix") if text else ("", "")

    def readout(self, at: float) -> tuple[tuple[str, str, Value], ...]:
        """Each line's (name, colour, value) at a moment."""
        rows = []
        for one in self.deck.asked(False):
            if one.held is None or not len(one.held.times):
                continue
            letters = len(self.queries.shown) > 1
            names = series_names(one.held.labels, one.query.letter)
            near = int(np.abs(one.held.times - at).argmin())
            if abs(float(one.held.times[near]) - at) > self.deck.step():
                continue
            for row, labels in enumerate(one.held.labels):
                colour = self.deck.lines.colour_of(one.query.slot, labels)
                if colour:
                    name = f"{one.query.letter} {names[row]}" if letters else names[row]
                    rows.append((name, colour, value(float(one.held.rows[row, near]), one.unit)))
        return tuple(rows[:8])


def _plain_note(text: str) -> str:
    words = sanitise(text, 300)
    for mark in ("PromQL warning: ", "PromQL info: "):
        words = words.removeprefix(mark)
    words = words[:1].upper() + words[1:]
    return words if words.endswith(".") else f"{words}."
