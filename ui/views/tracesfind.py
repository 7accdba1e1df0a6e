"""The list of traces found: asked for while it is looked at, in an order that stands still while somebody reads."""

from __future__ import annotations

import math

from monitor.wire import messages as m
from ui.views.context import Context
from ui.views.format import plural, sanitise
from ui.views.page import moved
from ui.views.tracesask import Asking
from ui.views.tracesfilter import TraceFilter, attempt, parse_traces
from ui.views.tracesview import ORDERS, Order, TraceRow
from ui.views.traceswords import Colours, lasted, name_of, operation_of

MOST = 200
"""Traces asked for."""
PACE: dict[Order, float] = {"Newest": 5.0, "Longest": 30.0}
"""Seconds between two askings while the view is live: for the longest the collector looks at all there are."""
IDLE = 0.4
"""Seconds after the last key until what was typed is asked."""


class TraceList:
    """What is searched for and what was found. The cursor keeps its trace when others come."""

    def __init__(self, ctx: Context, colours: Colours) -> None:
        self.ctx, self.colours = ctx, colours
        self.text, self.error = "", ""
        self.filter = TraceFilter()
        self.failing = False
        self.order: Order = "Newest"
        self.asking: Asking[m.TracesFound] = Asking(ctx, m.TracesFound)
        self._typed = 0.0
        self._cursor, self._trace = 0, ""
        self._turn = 0
        self._made: tuple[object, tuple[m.TraceSummary, ...], tuple[TraceRow, ...]] = (None, (), ())

    # ------------------------------------------------------------ asking

    def type(self, text: str) -> None:
        """The search as typed; while it cannot be read the last good one holds."""
        self.text = text
        self.filter, self.error = attempt(parse_traces, text, self.filter)
        self._typed = self.ctx.now()

    def run(self) -> None:
        """What was typed is asked at once."""
        self._typed = 0.0

    def again(self) -> None:
        """Ask anew."""
        self.asking.again()

    def ask(self) -> None:
        """Asks where it is time to."""
        now = self.ctx.now()
        if now - self._typed < IDLE and self.asking.answer is not None:
            return
        live = not self.ctx.time.paused and not self.ctx.rewound
        if live and self.ctx.settled():
            self._turn = math.floor(now / PACE[self.order])
        start, end = self.ctx.span()
        wanted = self.filter
        error = wanted.error or self.failing
        when = (self.ctx.time.range, self._turn) if live else (start, end)
        request = m.FindTraces(
            0,
            wanted.service,
            wanted.operation,
            wanted.shortest,
            wanted.longest,
            error,
            wanted.text,
            wanted.tags,
            start,
            0.0 if live else end,
            MOST,
            "newest" if self.order == "Newest" else "longest",
        )
        self.asking.want((wanted, error, self.order, when), request)

    # ------------------------------------------------------------ rows

    def _list(self) -> tuple[tuple[m.TraceSummary, ...], tuple[TraceRow, ...]]:
        minute = self.ctx.present() // 60
        key = (self.asking.number, self.asking.answer is None, minute, self.ctx.words)
        if self._made[0] != key:
            answer = self.asking.answer
            found = list(answer.traces) if answer is not None else []
            longest = max((trace.duration for trace in found), default=0.0)
            self._made = (key, tuple(found), tuple(self._row(trace, longest) for trace in found))
        return self._made[1], self._made[2]

    def _row(self, trace: m.TraceSummary, longest: float) -> TraceRow:
        names = [name for name in trace.services if name != trace.service]
        return TraceRow(
            trace=sanitise(trace.trace, 32),
            shape="critical" if trace.errors else None,
            service=name_of(trace.service),
            operation=operation_of(trace.operation),
            colour=self.colours.of(trace.service),
            duration=lasted(trace.duration),
            share=min(1.0, max(0.0, trace.duration / longest)) if longest > 0 else 0.0,
            spans=plural(trace.spans, "span"),
            errors=plural(trace.errors, "error") if trace.errors else "",
            services=", ".join(name_of(name) for name in names[:8]),
            age=self.ctx.words.age(trace.start, self.ctx.present()),
            time=self.ctx.words.moment(trace.start, self.ctx.present(), seconds=True),
            note="its root is missing" if trace.rootless else "",
        )

    def rows(self) -> tuple[TraceRow, ...]:
        """Those that are listed."""
        return self._list()[1]

    def found_words(self) -> str:
        """`newest 200 traces`."""
        rows = self.rows()
        answer = self.asking.answer
        if answer is None:
            return "looking…" if self.asking.waiting else ""
        if not rows:
            return ""
        more = f"{self.order.lower()} " if len(rows) >= MOST else ""
        return f"{more}{plural(len(rows), 'trace')}{'' if self.order == 'Newest' or more else ', longest first'}"

    def note(self) -> str:
        """What the collector left out."""
        answer = self.asking.answer
        return sanitise(" ".join(answer.warnings), 300) if answer is not None else ""

    # ------------------------------------------------------------ cursor

    def place(self) -> int:
        """The row of the cursor."""
        found = self._list()[0]
        if self._cursor < len(found) and found[self._cursor].trace == self._trace:
            return self._cursor
        if self._cursor == 0 and self.ctx.settled():  # nobody reads: the newest stays under the cursor
            self._trace = found[0].trace if found else ""
            return 0
        at = next((i for i, trace in enumerate(found) if trace.trace == self._trace), None)
        self._cursor = at if at is not None else moved(self._cursor, 0, len(found))
        self._trace = found[self._cursor].trace if found else ""
        return self._cursor

    def go(self, index: int) -> None:
        """Put the cursor on a row."""
        found = self._list()[0]
        self._cursor = moved(0, index, len(found))
        self._trace = found[self._cursor].trace if found else ""

    def current(self) -> m.TraceSummary | None:
        """The trace under the cursor."""
        found = self._list()[0]
        return found[self.place()] if found else None

    def next_order(self) -> None:
        """Newest or longest first."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
