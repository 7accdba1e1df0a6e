"""The queries of Explore as a part of its page: their actions, what is asked of the collector, and their picture."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable

import numpy as np

from monitor.model.matchers import NAME_TAG, promql_name
from monitor.model.series import Kind, SeriesInfo
from monitor.query.ast import Expr, Paren, Selector
from monitor.query.format import to_text
from monitor.query.units import Quantity
from ui.views.context import Context
from ui.views.format import duration, plural, sanitise, value
from ui.views.page import Handler
from ui.views.queries import Queries, Query
from ui.views.queryanswers import LIVE_PACE, Held, QueryAnswers, Question
from ui.views.querychart import QueryChart, Shown, series_names
from ui.views.queryedit import FOCUS, NAME_FOCUS, QueryEditor, coloured
from ui.views.querytable import RANGE_HEADS, histograms, table
from ui.views.querytext import parsed, query_of, step_for_span
from ui.views.queryunits import QueryUnits, unit_from
from ui.views.queryview import VIEWS, HistogramView, QueriesView, QueryRow, TableView, View
from ui.views.view import ChartView, Value

SLOW = 0.4
"""Seconds after which it is said that an answer is under way."""


class Deck:
    """Queries, editor, answers and chart of one page."""

    def __init__(self, ctx: Context, at: Callable[[], float | None]) -> None:
        self.ctx = ctx
        self.at = at
        self.queries = Queries(ctx)
        self.editor = QueryEditor(ctx, self.queries)
        self.answers = QueryAnswers(ctx)
        self.lines = QueryChart(ctx)
        self.units = QueryUnits()
        self.queries.gone = self.answers.drop
        self.handlers: dict[str, Handler] = {
            "query.new": self._new,
            "query.toggle": lambda: self._on_current(self.queries.toggle),
            "query.duplicate": lambda: self._on_current(self.queries.duplicate),
            "query.remove": lambda: self._on_current(self.remove),
            "query.view": self._next_view,
            "query.complete": self.editor.complete,
            "query.fix": self.fix,
            "query.layout": self.editor.lay_out,
            "query.save": self._name,
            "query.older": lambda: self.editor.walk(1),
            "query.newer": lambda: self.editor.walk(-1),
        }

    def __bool__(self) -> bool:
        return bool(self.queries)

    @property
    def view_name(self) -> View:
        name = self.queries.view
        return next((v for v in VIEWS.values() if v == name), "chart")

    # ------------------------------------------------------------ actions

    def why_off(self, action: str) -> str:
        """Why an action on queries does nothing now; "" when it does."""
        current = self.queries.current
        if action in ("query.new",):
            return ""
        if current is None:
            return "There is no query yet. E or N starts one."
        if action in ("query.save", "query.layout") and parsed(current.text).expr is None:
            return "This query cannot be read yet."
        if action == "query.fix" and not (self.editor.fixed() or self._suggestion(current)[1]):
            return "There is nothing that a machine could mend."
        if action in ("query.older", "query.newer") and not self.ctx.desk.queries.history:
            return "No query was run before."
        if action == "query.complete" and self.ctx.focus != FOCUS:
            return "Press E to write in the query first."
        return ""

    def _on_current(self, act: Callable[[Query], object]) -> None:
        if self.queries.current is not None:
            act(self.queries.current)

    def _new(self) -> None:
        if self.queries.put() is not None:
            self.editor.open()

    def edit(self, infos: list[SeriesInfo], field: str, window: float) -> None:
        """Write in the query under the cursor; where there is none, what the chart shows becomes queries first."""
        if not self.queries:
            for info in infos:
                self.queries.put(query_of(info, self.ctx.index.selector(info), field, window))
            self.queries.cursor = 0
        self.editor.open()

    def remove(self, query: Query) -> None:
        """Take a query away, and the caret out of it."""
        if self.ctx.focus == FOCUS and query is self.queries.current:
            self.ctx.focus = ""
        self.queries.remove(query)

    def _next_view(self) -> None:
        views = list(VIEWS.values())
        self.queries.view = views[(views.index(self.view_name) + 1) % len(views)]

    def _name(self) -> None:
        current = self.queries.current
        if current is not None:
            held = next((s.name for s in self.queries.saved if s.text == current.text), "")
            self.editor.name, self.ctx.focus = held, NAME_FOCUS

    def keep_name(self) -> None:
        """The name is written: keep the query under it."""
        name, current = (self.editor.name or "").strip(), self.queries.current
        self.editor.name, self.ctx.focus = None, ""
        if name and current is not None:
            self.queries.save(name, current.text)

    def fix(self) -> None:
        """The correction, or where nothing is wrong what is suggested."""
        current = self.queries.current
        if self.editor.fixed():
            self.editor.fix()
        elif current is not None and (text := self._suggestion(current)[1]):
            self.queries.write(current, text)
            self.editor.set_text(text, len(text))
            self.editor.completer.close(text, len(text))
        if current is not None:
            self.queries.run(current, remember=False)

    def set_text(self, what: str, text: str, caret: int) -> bool:
        """ "query": the text under the caret; "query.name": the name it is kept under."""
        if what == FOCUS:
            self.editor.set_text(text, caret)
        elif what == NAME_FOCUS:
            self.editor.name = text[:80]
        else:
            return False
        return True

    def choose(self, what: str, word: str) -> bool:
        """A choice by its words: the view, an offer by its row, a query's button by its letter."""
        if what == "query.view":
            self.queries.view = VIEWS.get(word, self.queries.view)
        elif what == "completion" and word.isdigit():
            self.editor.take(int(word))
        elif what in ("query.toggle", "query.remove"):
            query = next((q for q in self.queries.items if q.letter == word), None)
            if query is not None:
                (self.queries.toggle if what == "query.toggle" else self.remove)(query)
        else:
            return False
        return True

    def show(self, text: str) -> None:
        """A kept or an earlier query: into the one under the cursor where that is empty, else beside the others."""
        current = self.queries.current
        if current is not None and not current.text.strip():
            self.queries.write(current, text)
            self.queries.run(current)
        else:
            query = self.queries.put(text)
            if query is not None:
                self.queries.run(query)

    # ------------------------------------------------------------ asking

    def step(self) -> float:
        """Seconds between two values of a line."""
        start, end = self.ctx.span()
        return step_for_span(end - start, self.ctx.profile.points, max(1.0, self.ctx.live.mirror.interval))

    def moment(self) -> float:
        """When the values of a moment are of: the crosshair, else the newest."""
        start, end = self.ctx.span()
        at = self.at()
        return float(math.floor(end if at is None else min(end, max(start, at))))

    def _range(self, query: Query) -> Held | None:
        start, end = self.ctx.span()
        step = self.step()
        turn = int(end // LIVE_PACE) if step > LIVE_PACE and not self.ctx.time.paused else 0
        question = Question(query.running, start // step * step, end // step * step, step, turn)
        return self.answers.want((query.slot, "range"), question)

    def _instant(self, query: Query) -> Held | None:
        at = self.moment()
        return self.answers.want((query.slot, "instant"), Question(query.running, at, at, 0.0))

    def _shown(self, instant: bool) -> list[Shown]:
        return [
            Shown(q, self._instant(q) if instant else self._range(q), unit_from(self._quantity(q.running)))
            for q in self.queries.shown
        ]

    def shown(self) -> list[Shown]:
        """The visible queries with their answers, as they are looked at."""
        return self._shown(self.view_name == "instant")

    def _quantity(self, text: str) -> Quantity | None:
        expr = parsed(text).expr
        return self.units.of(expr, self.ctx.index) if expr is not None else None

    # ------------------------------------------------------------ picture

    def look(self) -> tuple[QueriesView, ChartView]:
        """The queries and their chart now."""
        self.queries.settle()
        view = self.view_name
        shown = self._shown(view == "instant")
        alone = len(shown) == 1
        bars = self._histograms(shown, view, alone)
        chart_of = shown if view != "instant" else self._shown(False)
        note = self._note(shown)
        chart = self.lines.chart(chart_of, self.step(), self.at(), self._empty(chart_of), note)
        held = next((one.held for one in shown if one.query is self.queries.current), None)
        hint, action = self._hint()
        queries = QueriesView(
            rows=tuple(self._row(q, shown) for q in self.queries.items),
            cursor=self.queries.cursor if self.queries else 0,
            view=view,
            step=f"step {duration(self.step())}",
            editor=self.editor.view(held),
            table=self._table(shown, view, alone),
            histograms=bars,
            note=note,
            naming=self.editor.name if self.ctx.focus == NAME_FOCUS else None,
            hint=hint,
            action=action,
            text=next(
                (sanitise(one.held.result.text, 400) for one in shown if one.held and one.held.result and one.held.result.text),
                "",
            ),
        )
        return queries, chart

    def _row(self, query: Query, shown: list[Shown]) -> QueryRow:
        one = next((s for s in shown if s.query is query), None)
        held = one.held if one is not None else None
        problem = self.editor.problem(query, held)
        place = (query.slot, "instant" if self.view_name == "instant" else "range")
        waiting = self.answers.waited(place) >= SLOW and not query.hidden
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
            return "cannot be read yet" if self.editor.writing is query else "cannot be read", True
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

    def _table(self, shown: list[Shown], view: View, alone: bool) -> TableView | None:
        if view == "chart" and len([1 for one in shown if one.held]) == 0:
            return None
        words, (start, end) = self.ctx.words, self.ctx.span()
        if view == "instant":
            return table(shown, ("Value",), f"at {words.clock(self.moment())}", self.lines.colour_of, alone)
        return table(shown, RANGE_HEADS, f"{words.minute(start)} to {words.minute(end)}", self.lines.colour_of, alone)

    def _histograms(self, shown: list[Shown], view: View, alone: bool) -> tuple[HistogramView, ...]:
        """Of queries whose answers have no numbers but histograms: asked at the moment."""
        found: list[HistogramView] = []
        for one in shown:
            held = one.held
            if view != "instant" and held is not None and len(held.labels) and not np.isfinite(held.rows).any():
                held = self._instant(one.query)
            if held is None or held.result is None or not held.result.histograms:
                continue
            quantity = self._quantity(one.query.running)
            inside = unit_from(quantity.inside if quantity is not None else None)
            names = series_names(held.labels, one.query.letter)
            found += histograms(Shown(one.query, held, one.unit), inside, self.lines.colour_of, alone, names)
        return tuple(found)

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
            return "" if self.ctx.mirror.connected else self.ctx.refusal()
        if any(one.held is not None and len(one.held.labels) for one in shown):
            return "The answer has histograms, not numbers." if self._are_histograms(shown) else "No values in this range."
        return self._nothing(shown[0].query)

    @staticmethod
    def _are_histograms(shown: list[Shown]) -> bool:
        return any(one.held is not None and len(one.held.labels) and not np.isfinite(one.held.rows).any() for one in shown)

    def _nothing(self, query: Query) -> str:
        start, end = self.ctx.span()
        words = self.ctx.words
        for name in metrics_of(parsed(query.running).expr):
            known = self.ctx.index.names()
            if name in known or any(promql_name(n) == name for n in known):
                continue
            close = difflib.get_close_matches(name, [promql_name(n) for n in list(known)[:8000]], 1, 0.7)
            meant = f" Did you mean {sanitise(close[0], 80)}?" if close else ""
            return f"No series is called {sanitise(name, 80)} now.{meant}"
        return f"No series answer to this between {words.minute(start)} and {words.minute(end)}."

    def _hint(self) -> tuple[str, str]:
        current = self.queries.current
        words, text = self._suggestion(current) if current is not None and not current.hidden else ("", "")
        return (words, "query.fix") if text else ("", "")

    def _suggestion(self, query: Query) -> tuple[str, str]:
        """What would say more than this query does: a counter's rate, a histogram's quantile."""
        tree = parsed(query.text).expr
        bare = tree
        while isinstance(bare, Paren):
            bare = bare.expr
        if tree is None or bare is None:
            return "", ""
        text = to_text(tree)
        if isinstance(bare, Selector) and not bare.is_range and bare.name:
            infos = self.ctx.index.named(bare.name) or [
                i for n in self.ctx.index.names() if promql_name(n) == bare.name for i in self.ctx.index.named(n)[:1]
            ]
            kind = infos[0].kind if infos else None
            if kind is Kind.COUNTER:
                return "A counter only rises: its rate says how fast.", f"rate({text}[5m])"
            if kind is Kind.DISTRIBUTION:
                return "This is a histogram: a quantile makes a line of it.", f"histogram_quantile(0.99, rate({text}[5m]))"
        quantity = self.units.of(tree, self.ctx.index)
        if quantity is not None and quantity.inside is not None and not isinstance(bare, Selector) and "_bucket" not in text:
            return "This is a histogram: a quantile makes a line of it.", f"histogram_quantile(0.99, {text})"
        return "", ""

    def readout(self, at: float) -> tuple[tuple[str, str, Value], ...]:
        """Each line's (name, colour, value) at a moment."""
        rows = []
        for one in self._shown(False):
            if one.held is None or not len(one.held.times):
                continue
            alone = len(self.queries.shown) == 1
            names = series_names(one.held.labels, one.query.letter)
            near = int(np.abs(one.held.times - at).argmin())
            if abs(float(one.held.times[near]) - at) > self.step():
                continue
            for row, labels in enumerate(one.held.labels):
                colour = self.lines.colour_of(one.query.slot, labels, alone)
                if colour:
                    name = names[row] if alone else f"{one.query.letter} {names[row]}"
                    rows.append((name, colour, value(float(one.held.rows[row, near]), one.unit)))
        return tuple(rows[:8])


def metrics_of(expr: Expr | None) -> list[str]:
    """The names of the metrics an expression reads, in the order they stand."""
    if expr is None:
        return []
    if isinstance(expr, Selector):
        return [m.value for m in expr.matchers if m.name == NAME_TAG and m.op == "="]
    found: list[str] = []
    for name in getattr(expr, "__slots__", ()):
        child = getattr(expr, name, None)
        for part in child if isinstance(child, tuple) else (child,):
            if hasattr(part, "span"):
                found += metrics_of(part)
    return found


def _plain_note(text: str) -> str:
    words = sanitise(text, 300)
    for mark in ("PromQL warning: ", "PromQL info: "):
        words = words.removeprefix(mark)
    words = words[:1].upper() + words[1:]
    return words if words.endswith(".") else f"{words}."
