"""The queries of Explore as a part of its page: their actions, what is asked of the collector, and their picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np

from monitor.model.series import SeriesInfo
from monitor.query.units import Quantity
from ui.views.context import Context
from ui.views.deckpicture import DeckPicture
from ui.views.exemplars import Exemplars
from ui.views.page import Handler
from ui.views.queries import Queries, Query
from ui.views.queryadvice import suggestion
from ui.views.queryanswers import LIVE_PACE, Held, QueryAnswers, Question
from ui.views.querychart import QueryChart, Shown
from ui.views.queryedit import FOCUS, NAME_FOCUS, QueryEditor
from ui.views.querytext import is_text, parsed, query_of, step_for_span
from ui.views.queryunits import QueryUnits, unit_from
from ui.views.queryview import VIEWS, QueriesView, View
from ui.views.view import ChartView, Value

T = TypeVar("T")


class Deck:
    """Queries, editor, answers and chart of one page."""

    def __init__(self, ctx: Context, at: Callable[[], float | None], exemplars: Exemplars) -> None:
        self.ctx = ctx
        self.at = at
        self.queries = Queries(ctx)
        self.editor = QueryEditor(ctx, self.queries)
        self.answers = QueryAnswers(ctx)
        self.lines = QueryChart(ctx, exemplars)
        self.units = QueryUnits()
        self.queries.gone = self.answers.drop
        self._kept: dict[str, tuple[object, object]] = {}
        self.handlers: dict[str, Handler] = {
            "query.new": self.begin,
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
        if action == "query.fix" and not (self.editor.fixed() or self.suggested(current)[1]):
            return "There is nothing that a machine could mend."
        if action in ("query.older", "query.newer") and not self.ctx.desk.queries.history:
            return "No query was run before."
        if action == "query.complete" and self.ctx.focus != FOCUS:
            return "Press E to write in the query first."
        return ""

    def _on_current(self, act: Callable[[Query], object]) -> None:
        if self.queries.current is not None:
            act(self.queries.current)

    def begin(self) -> None:
        """One more query, with the caret in it."""
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
        elif current is not None and (text := self.suggested(current)[1]):
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

    def instant(self, query: Query) -> Held | None:
        """A query's answer at the moment."""
        at = self.moment()
        return self.answers.want((query.slot, "instant"), Question(query.running, at, at, 0.0))

    def asked(self, instant: bool) -> list[Shown]:
        """The visible queries with their answers: of the moment, or of the range."""
        return [
            Shown(q, self.instant(q) if instant or is_text(q.running) else self._range(q), unit_from(self.quantity(q.running)))
            for q in self.queries.shown
        ]

    def shown(self) -> list[Shown]:
        """The visible queries with their answers, as they are looked at."""
        return self.asked(self.view_name == "instant")

    def of_histograms(self, shown: list[Shown]) -> list[Shown]:
        """Those whose answers have no numbers but histograms, with their answers at the moment."""
        found = []
        for one in shown:
            held = one.held
            if held is not None and held.result is not None and not held.result.histograms and _without_numbers(held):
                held = self.instant(one.query)
            if held is not None and held.result is not None and held.result.histograms:
                found.append(Shown(one.query, held, one.unit))
        return found

    def quantity(self, text: str) -> Quantity | None:
        """What the values of a query are."""
        expr = parsed(text).expr
        return self.units.of(expr, self.ctx.index) if expr is not None else None

    def suggested(self, query: Query) -> tuple[str, str]:
        """What would say more than this query, and its text."""
        return suggestion(query.text, self.ctx.index, self.quantity(query.text))

    def kept(self, name: str, key: object, make: Callable[[], T]) -> T:
        """What was made for this key; made anew only for another one."""
        held = self._kept.get(name)
        if held is None or held[0] != key:
            held = self._kept[name] = (key, make())
        return cast(T, held[1])

    def look(self) -> tuple[QueriesView, ChartView]:
        """The queries and their chart now."""
        return DeckPicture(self).look()

    def readout(self, at: float) -> tuple[tuple[str, str, Value], ...]:
        """Each line's (name, colour, value) at a moment."""
        return DeckPicture(self).readout(at)


def _without_numbers(held: Held) -> bool:
    return bool(len(held.labels)) and not np.isfinite(held.rows).any()
