"""The newest traces in which a service failed, asked from the trace store while its node is open."""

from __future__ import annotations

import math

from monitor.wire import messages as m
from ui.views.context import Context
from ui.views.format import duration, sanitise
from ui.views.topologyview import DetailPart, ErrorRow
from ui.views.tracesask import Asking
from ui.views.traceswords import lasted, name_of, operation_of

MOST = 5
PACE = 10.0
"""Seconds between two askings while the view is live."""
TITLE = "Recent errors"


class RecentErrors:
    """One question at a time; the answer of another service is never shown for this one."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.asking: Asking[m.TracesFound] = Asking(ctx, m.TracesFound)
        self._turn = 0

    def part(self, service: str) -> DetailPart:
        """Traces with a failed span of the service within what is looked at, the newest first; else why there are none."""
        ctx = self.ctx
        start, end = ctx.span()
        live = not ctx.time.paused and not ctx.rewound
        if live:
            self._turn = math.floor(ctx.now() / PACE)
        when = (ctx.time.range, self._turn) if live else (start, end)
        request = m.FindTraces(0, service=service, error=True, start=start, end=0.0 if live else end, limit=MOST)
        answer = self.asking.want((service, when), request)
        held = self.asking.answered
        if answer is None or not isinstance(held, tuple) or held[0] != service:
            error = self.asking.error
            return DetailPart(TITLE, (), sanitise(error, 200) if error else "looking…")
        rows = tuple(self._row(trace) for trace in answer.traces[:MOST])
        return DetailPart(TITLE, rows, "" if rows else f"none in {duration(end - start)}")

    def _row(self, trace: m.TraceSummary) -> ErrorRow:
        words, present = self.ctx.words, self.ctx.present()
        return ErrorRow(
            trace=trace.trace,
            name=operation_of(trace.operation),
            origin=name_of(trace.service),
            duration=lasted(trace.duration),
            age=words.age(trace.start, present),
            time=words.moment(trace.start, present, seconds=True),
        )
