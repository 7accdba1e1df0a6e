"""Traces & logs: search both, open a trace as waterfall or flame, follow logs as they come, and go from one to the other."""

from __future__ import annotations

import re

from ui.views.context import Context
from ui.views.filter import Filter
from ui.views.page import FAR
from ui.views.tracesfilter import trace_id, written
from ui.views.tracesopen import OpenTrace
from ui.views.tracessearch import FIELD, TraceSearch
from ui.views.tracesview import FORMS, KINDS, ORDERS, Form, TracesView
from ui.views.view import PaletteRow

_STRETCH = re.compile(r"(0(?:\.[0-9]{1,20})?|1(?:\.0{1,20})?):(0(?:\.[0-9]{1,20})?|1(?:\.0{1,20})?)")


class Traces(TraceSearch):
    name = "traces"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.form: Form = "Waterfall"
        self.opened: OpenTrace | None = None
        self._left: OpenTrace | None = None
        """The trace that was left for its logs: going back leads to it."""
        self.handlers = {
            "cursor.down": lambda: self.move(1),
            "cursor.up": lambda: self.move(-1),
            "open": self.open,
            "traces.kind": self._next_kind,
            "traces.order": self._next_order,
            "traces.failing": self._toggle_failing,
            "traces.form": self._next_form,
            "traces.left": lambda: self._walk("left"),
            "traces.right": lambda: self._walk("right"),
            "traces.fold": lambda: self._walk("fold_all"),
            "traces.error": self._next_error,
            "traces.path": lambda: self._walk("next_on_path"),
            "traces.other": self._other_side,
            "traces.again": self._again,
            "traces.copy": self._copy,
        }

    # ------------------------------------------------------------ going

    def show_trace(self, trace: str, span: str = "") -> None:
        """Open a trace by its id, with the cursor on a span of it."""
        self.ctx.version += 1
        self.opened = OpenTrace(self.ctx, trace, self.colours, self.form, span)
        self.opened.ask()
        self._left = None

    def show_traces(self, service: str = "", operation: str = "", error: bool = False) -> None:
        """List the traces of a service, an operation, or those that failed."""
        self.ctx.version += 1
        terms = [written("service", service) if service else "", written("op", operation) if operation else ""]
        self.kind, self.opened, self._left = "Traces", None, None
        self.list.type(" ".join(term for term in (*terms, "error" if error else "") if term))
        self.list.failing = False
        self.list.run()
        self.list.go(0)

    def show_logs(self, service: str = "", trace: str = "") -> None:
        """List the logs of a service or a trace."""
        self.ctx.version += 1
        terms = [written("service", service) if service else "", f"trace:{trace}" if trace else ""]
        self.kind, self.opened = "Logs", None
        self.logs.type(" ".join(term for term in terms if term))
        self.logs.failing = False
        self.logs.run()

    def palette_rows(self, wanted: Filter) -> list[PaletteRow]:
        """The trace whose id is written in the palette."""
        ids = [trace_id(word.value) for word in wanted.words if not word.negated]
        return [PaletteRow(f"Open trace {trace}", "trace, by its id", "", f"trace:{trace}") for trace in ids if trace]

    # ------------------------------------------------------------ cursor

    def move(self, by: int) -> None:
        if self.opened is not None:
            self.opened.move(by)
        elif self.kind == "Traces":
            self.list.go(min(FAR, self.list.place() + by))
        else:
            self.logs.go(self.logs.place() + by)

    def point(self, what: str, index: int) -> bool:
        if what == "traces":
            self.list.go(index)
        elif what == "logs":
            self.logs.go(index)
        elif what == "spans" and self.opened is not None:
            self.opened.go(index)
        elif what == "fold" and self.opened is not None:
            self.opened.go(index)
            self.opened.fold(self.opened.chosen)
        elif what == "span" and self.opened is not None:
            self.opened.seek(index)
        elif what == "zoom" and self.opened is not None:
            self.opened.zoom(index)
        else:
            return what in ("traces", "logs", "spans", "span", "fold", "zoom")
        return True

    def open(self) -> None:
        if self.opened is not None and self.form == "Flame":
            self.opened.zoom(self.opened.chosen)
        elif self.opened is not None:
            self.opened.fold(self.opened.chosen)
        elif self.kind == "Traces":
            trace = self.list.current()
            if trace is not None:
                self.show_trace(trace.trace)
        elif self.logs.current() is not None:
            if self.logs.opened:
                self._other_side()
            self.logs.opened = True

    def back(self) -> bool:
        """Out of the flame's zoom, then close what is open, then clear what is searched for."""
        if self.opened is not None and self.form == "Flame" and self.opened.zooms.out():
            return True
        if self.opened is not None:
            self.opened = None
        elif self.kind == "Logs" and self.logs.opened:
            self.logs.opened = False
        elif self._left is not None:
            self.opened, self._left = self._left, None
        elif self.searching.text:
            self.searching.type("")
        elif self.searching.failing:
            self.searching.failing = False
        else:
            return False
        return True

    def _walk(self, how: str) -> None:
        if self.opened is not None:
            getattr(self.opened, how)()

    def _next_error(self) -> None:
        if self.opened is not None and not self.opened.next_error():
            self.ctx.say("No span of this trace failed.")

    def why_off(self, action: str) -> str:
        if action in ("traces.left", "traces.right", "traces.fold", "traces.error", "traces.path", "traces.form"):
            return "" if self.opened is not None else "Open a trace first."
        if action in ("traces.order", "traces.failing") and self.opened is not None:
            return "This is for the list."
        if action == "traces.order" and self.kind == "Logs":
            return "Logs are listed newest first."
        if action in ("traces.other", "traces.copy") and not self._trace():
            log = self.logs.current() if self.opened is None and self.kind == "Logs" else None
            return "This record belongs to no trace." if log is not None else "There is no trace here."
        return ""

    # ------------------------------------------------------------ from one to the other

    def _trace(self) -> str:
        """The trace under the cursor, whatever is looked at."""
        if self.opened is not None:
            return self.opened.trace
        if self.kind == "Logs":
            log = self.logs.current()
            return log.trace if log is not None else ""
        trace = self.list.current()
        return trace.trace if trace is not None else ""

    def _other_side(self) -> None:
        """From a trace to its logs, from a record to its trace."""
        trace = self._trace()
        if self.opened is None and self.kind == "Logs":
            log = self.logs.current()
            if log is not None and trace:
                left = self._left if self._left is not None and self._left.trace == trace else None
                self.show_trace(trace, log.span)
                if left is not None:
                    self.opened = left
            elif log is not None:
                self.ctx.say("This record belongs to no trace.")
        elif trace:
            left = self.opened
            self.show_logs(trace=trace)
            self._left = left

    def _copy(self) -> None:
        trace = self._trace()
        if trace:
            self.ctx.hooks.copy(trace)
            self.ctx.say("The trace's id is copied.")

    def _again(self) -> None:
        """Ask the collector anew."""
        if self.opened is not None:
            self.opened.again()
        elif self.kind == "Traces":
            self.list.again()
        else:
            self.logs.again()

    # ------------------------------------------------------------ choices

    def choose(self, what: str, value: str) -> bool:
        """ "kind", "order" or "form" by its word, an offer of the completion by its row, "trace" by its id; "stretch", shares
        of the open trace as `0.25:0.5`, fills the flame's width.
        """
        if what == "traces.kind" and value in KINDS:
            self.kind = next(kind for kind in KINDS if kind == value)
            self.opened = self._left = None
            self.completer.close()
        elif what == "traces.order" and value in ORDERS:
            self.list.order = next(order for order in ORDERS if order == value)
        elif what == "traces.form" and value in FORMS:
            self._take_form(next(form for form in FORMS if form == value))
        elif what == "traces.offer" and value.isdigit():
            self.take_offer(int(value))
        elif what == "traces.trace":
            self.show_trace(value)
        elif what == "traces.stretch" and self.opened is not None and (found := _STRETCH.fullmatch(value)):
            self.opened.zooms.into(float(found[1]), float(found[2]))
        else:
            return False
        self.ctx.version += 1
        return True

    def _next_kind(self) -> None:
        self.choose("traces.kind", KINDS[(KINDS.index(self.kind) + 1) % len(KINDS)])

    def _next_order(self) -> None:
        self.list.next_order()

    def _next_form(self) -> None:
        self._take_form(FORMS[(FORMS.index(self.form) + 1) % len(FORMS)])

    def _take_form(self, form: Form) -> None:
        self.form = form
        if self.opened is not None:
            self.opened.form = form

    def _toggle_failing(self) -> None:
        self.searching.failing = not self.searching.failing

    def changed(self, what: set[str]) -> None:
        if "hello" in what:  # another start of the collector counts anew
            self.list.again()
            self.logs.again()
            self.completer.asking.again()

    # ------------------------------------------------------------ picture

    def view(self) -> TracesView:
        """The page now. What it needs is asked for here: a page nobody looks at asks nothing."""
        self.completer.ask()
        typing = self.ctx.focus == FIELD
        if self.opened is not None:
            self.opened.ask()
        elif self.kind == "Traces":
            self.list.ask()
        else:
            self.logs.ask()
        listed = self.opened is None
        searching = self.searching
        traces = self.list.rows() if self.kind == "Traces" and listed else ()
        logs = self.logs.rows() if self.kind == "Logs" and listed else ()
        offers = self.completer.view(searching.text, self.kind) if typing and listed else None
        return TracesView(
            kind=self.kind,
            search=searching.text,
            search_error=searching.error if offers is None else "",
            completion=offers,
            failing=searching.failing,
            order=self.list.order,
            traces=traces,
            logs=logs,
            cursor=self.list.place() if self.kind == "Traces" else self.logs.place(),
            found=searching.found_words(),
            note=searching.note(),
            problem=self.problem() if listed else "",
            opened=self.opened.view() if self.opened is not None else None,
            opening=self.opened.opening() if self.opened is not None else "",
            log=self.logs.detail() if self.kind == "Logs" and listed else None,
            live=self.logs.live,
            empty=self.nothing() if listed else None,
        )
