"""The search half of Traces & logs: the field with its offers, the two lists it narrows, and what empty ones say."""

from __future__ import annotations

from abc import abstractmethod

from ui.views.context import Context
from ui.views.logs import LogList
from ui.views.page import PageModel
from ui.views.tracescomplete import Completer
from ui.views.tracesfind import TraceList
from ui.views.tracesview import Kind
from ui.views.traceswords import Colours, no_logs, no_traces
from ui.views.view import EmptyState

FIELD = "find"
"""The name of the search field."""
_STEPS = {"down": 1, "up": -1, "pagedown": 8, "pageup": -8}


class TraceSearch(PageModel):
    """Both lists are kept, each with its own search; `kind` says which is shown."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.colours = Colours()
        self.list = TraceList(ctx, self.colours)
        self.logs = LogList(ctx)
        self.completer = Completer(ctx, self.colours)
        self.kind: Kind = "Traces"

    @abstractmethod
    def show_trace(self, trace: str, span: str = "") -> None:
        """Open a trace by its id, with the cursor on a span of it."""

    @property
    def searching(self) -> TraceList | LogList:
        """The list that is shown."""
        return self.list if self.kind == "Traces" else self.logs

    # ------------------------------------------------------------ the field

    def set_text(self, what: str, text: str, cursor: int) -> bool:
        if what != FIELD:
            return False
        if text != self.searching.text:
            self.searching.type(text)
            self.completer.typed(cursor)
        return True

    def submit(self, what: str) -> bool:
        """Take the offer chosen by hand; else search now, and open the trace whose id was written."""
        if what != FIELD:
            return False
        if self.completer.by_hand and self.take_offer():
            return True
        self.completer.close()
        self.searching.run()
        self.ctx.focus = ""
        if self.kind == "Traces" and self.list.filter.trace and not self.list.error:
            self.show_trace(self.list.filter.trace)
        return True

    def take_offer(self, index: int | None = None) -> bool:
        """Write the offer at a row (None: the chosen one) into the search; False where there is none."""
        text = self.completer.take(self.searching.text, self.kind, index)
        if text is not None:
            self.searching.type(text)
        return text is not None

    def key(self, key: str) -> bool:
        """A key while the search field has the focus; True when it meant something here."""
        if self.ctx.focus != FIELD:
            return False
        offers, _ = self.completer.offers(self.searching.text, self.kind)
        if key == "ctrl+space":
            self.completer.open()
        elif key in _STEPS and offers:
            self.completer.move(_STEPS[key], len(offers))
        elif key in ("down", "pagedown"):
            self.ctx.focus = ""  # into the list, where the cursor is
        elif key == "tab" and offers:
            self.take_offer()
        elif key == "escape" and offers:
            self.completer.close()
        else:
            return False
        return True

    # ------------------------------------------------------------ where there is nothing

    def problem(self) -> str:
        """Why the list is not what was asked for."""
        error = self.list.asking.error if self.kind == "Traces" else self.logs.problem
        return f"{error[:1].upper()}{error[1:]}" if error else ""

    def nothing(self) -> EmptyState | None:
        """How to send the first one, where there is none at all; or why nothing is found. None where there is something."""
        services = self.completer.asking.answer
        if self.problem() or services is None:
            return None
        if self.kind == "Traces":
            answer = self.list.asking.answer
            if answer is None or answer.traces:
                return None
            if not any(one.spans for one in services.services):
                return no_traces(self.ctx)
        else:
            if not self.logs.started or self.logs.held:
                return None
            if not any(one.logs for one in services.services):
                return no_logs(self.ctx)
        return self._nothing_found()

    def _nothing_found(self) -> EmptyState:
        what = "traces" if self.kind == "Traces" else "logs"
        if not self.searching.text and not self.searching.failing:
            return EmptyState(f"No {what} in this stretch of time.", "A longer range (]) or another moment (@) may have some.")
        return EmptyState(
            f"No {what} match this search.",
            "Esc clears it; a longer range (]) looks further back. Names are whole: service:cart.",
        )
