"""Exemplars of what is charted: asked for, stepped through, and followed to their traces."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from monitor.model.series import Kind
from monitor.wire import messages as m
from ui.views.context import Context
from ui.views.format import plural, sanitise
from ui.views.tracesask import Asking
from ui.views.units import Unit
from ui.views.view import ExemplarMark

PACE = 5.0
"""Seconds between two questions while the view is live."""
MOST = 120
"""Marks on a chart at most; a narrow one has fewer."""
POINTS_EACH = 10
"""Points of a line that one mark may take the room of."""
SHORT = 8
"""Digits of a trace's id that tell it apart for people."""
_OWN = {
    Kind.DISTRIBUTION: frozenset(("value", "p50", "p90", "p95", "p99", "mean", "min", "max")),
    Kind.GAUGE: frozenset(("value", "last", "min", "max", "mean")),
}
OpenTrace = Callable[[str, str], None]


class Asked(NamedTuple):
    """Whose exemplars are wanted: `expr` in PromQL. `own`: the axis shows such values, in this unit."""

    expr: str
    colour: str
    unit: Unit
    own: bool


def shows_own(kind: Kind, field: str) -> bool:
    """Whether a field of such a series is what an exemplar's value is, and not how many there were."""
    return field in _OWN.get(kind, ())


class Exemplars:
    """The exemplars of one page's chart. `open_trace` shows a trace by its id, with the cursor on a span."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.open_trace: OpenTrace = lambda trace, span: None
        self.chosen = ""
        self._asking: Asking[m.ExemplarsFound] = Asking(ctx, m.ExemplarsFound)
        self._asked: tuple[Asked, ...] = ()
        self._looking = 0
        self._made: tuple[object, dict[int, ExemplarMark]] = (None, {})

    def marks(self, asked: Sequence[Asked]) -> tuple[ExemplarMark, ...]:
        """What there is of these, in the time shown; asks for it."""
        self._asked = tuple(asked)
        if not self._asked:
            self._asking.forget()
            return ()
        start, end = self.ctx.span()
        exprs = tuple(one.expr for one in self._asked)
        turn = int(end // PACE), round(end - start), self._most()
        self._asking.want((exprs, turn), m.GetExemplars(0, exprs, start, end, self._most()))
        made_for = self._asking.number, self._asked, self.chosen, self.ctx.words
        if self._made[0] != made_for:
            answer = self._asking.answer
            self._made = made_for, {id(one): self._mark(one) for one in (answer.exemplars if answer is not None else ())}
        return tuple(self._made[1][id(one)] for one in self._told())

    def _most(self) -> int:
        return min(MOST, max(10, self.ctx.profile.points // POINTS_EACH))

    def _told(self) -> list[m.ExemplarInfo]:
        """Those that are shown, by time; of another question none."""
        answer, answered = self._asking.answer, self._asking.answered
        if answer is None or not isinstance(answered, tuple) or answered[0] != tuple(one.expr for one in self._asked):
            return []
        start, end = self.ctx.span()
        return [one for one in answer.exemplars if start <= one.time <= end and 0 <= one.asked < len(self._asked)]

    def _mark(self, one: m.ExemplarInfo) -> ExemplarMark:
        asked = self._asked[min(max(one.asked, 0), len(self._asked) - 1)]
        value = one.value * asked.unit.factor if asked.own else math.nan
        key = _key(one)
        return ExemplarMark(one.time, value, asked.colour, key, self._words(one), key == self.chosen)

    def _words(self, one: m.ExemplarInfo) -> str:
        asked = self._asked[min(max(one.asked, 0), len(self._asked) - 1)]
        labels = ", ".join(f"{sanitise(name, 24)}={sanitise(text, 40)}" for name, text in one.labels[:6])
        value = self.ctx.words.say(one.value, asked.unit) if asked.own else f"{one.value:g}"
        trace = f"trace {sanitise(one.trace, 32)[:SHORT]}" if one.trace else "no trace"
        return ", ".join(part for part in (trace, value, labels) if part)

    # ------------------------------------------------------------ choosing

    def why_off(self) -> str:
        """Why there is none to step to; "" when there is."""
        return "" if self._told() else "No exemplars in the time shown: no request was told with its trace."

    def step(self, by: int) -> None:
        """To the next or the previous in time; first the newest, or the oldest."""
        told = self._told()
        if not told:
            self.ctx.say(self.why_off())
            return
        keys = [_key(one) for one in told]
        place = keys.index(self.chosen) + by if self.chosen in keys else (len(keys) - 1 if by < 0 else 0)
        self.chosen = keys[place % len(keys)]

    def choose(self, key: str) -> bool:
        """The one of this key; False where it is gone."""
        known = any(_key(one) == key for one in self._told())
        self.chosen = key if known else ""
        return known

    @property
    def current(self) -> m.ExemplarInfo | None:
        """The one chosen, while it is shown."""
        return next((one for one in self._told() if _key(one) == self.chosen), None) if self.chosen else None

    def said(self) -> str:
        """The one chosen in words, with its time and place; "" while none is."""
        one = self.current
        if one is None:
            return ""
        told = self._told()
        at = self.ctx.words.moment(one.time, self.ctx.present(), seconds=True)
        return f"{at}, {self._words(one)} ({told.index(one) + 1} of {plural(len(told), 'exemplar')})"

    def forget(self) -> bool:
        """None is chosen any more; whether one was."""
        had, self.chosen = bool(self.chosen), ""
        return had

    # ------------------------------------------------------------ following

    def open(self) -> None:
        """To the trace of the one chosen, where it is kept; else its id goes into the clipboard."""
        one = self.current
        if one is None:
            return
        if not one.trace:
            self.ctx.say("This exemplar was told without a trace.")
            return
        self._looking += 1
        turn = self._looking

        def found(answer: object) -> None:
            if turn != self._looking or not isinstance(answer, m.TraceFound):
                return
            if answer.spans or answer.logs:
                self.open_trace(one.trace, one.span)
            else:
                self.ctx.hooks.copy(one.trace)
                self.ctx.say(f"Trace {sanitise(one.trace, 32)} is not kept here. Its id was copied.")

        self.ctx.request(m.GetTrace(0, one.trace, 1), found)


def _key(one: m.ExemplarInfo) -> str:
    return f"{one.trace}:{one.span}:{one.time!r}:{one.value!r}"
