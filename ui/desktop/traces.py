"""The Traces & logs page: a list of requests or records, the trace that is open in its place, and beside it what is chosen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from ui.desktop.buttons import Button, row_of
from ui.desktop.empty import EmptyCard
from ui.desktop.host import Host
from ui.desktop.labels import SentenceLabel
from ui.desktop.panel import Card, Rule
from ui.desktop.rows import RowList, fill_height
from ui.desktop.tracesflame import Flame
from ui.desktop.traceshead import FindField, ListHead, TraceHead
from ui.desktop.tracesrows import LogPainter, TracePainter
from ui.desktop.tracesside import LogCard, SpanCard
from ui.desktop.traceswaterfall import Waterfall
from ui.views.tracesview import TracesView

SIDE, NARROW_SIDE = 352, 300
SPAN_ON_PHONE = 240
"""Pixels of the span below its trace, which is what one came for."""


class TracesPage(QWidget):
    """List and open trace take turns; the phone shows one thing after the other."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.view: TracesView | None = None
        self.phone = False
        self.setObjectName("page")
        self._make_lists(host)
        self._make_trace(host)
        self.log = LogCard(host)
        self.span = SpanCard(host)
        self.row = QHBoxLayout()
        self.row.setSpacing(10)
        for card in (self.lists, self.trace):
            self.row.addWidget(card, 3)
        for card in (self.log, self.span):
            card.hide()
            self.row.addWidget(card, 2)
        self.column = QVBoxLayout(self)
        self.column.setSpacing(10)
        self.column.addLayout(self.row, 1)

    def _make_lists(self, host: Host) -> None:
        session = host.session
        self.head = ListHead(host)
        self.empty = EmptyCard(host)
        self.traces = RowList(host, "Traces found", TracePainter(), self._open_trace, None, hovering=True)
        self.logs = RowList(host, "Log records", LogPainter(), self._open_log, None, hovering=True)
        for part in (self.traces, self.logs):
            fill_height(part)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.traces)
        self.stack.addWidget(self.logs)
        self.lists = Card(host, "Traces and logs")
        self.lists.add(self.head)
        self.lists.add(Rule(host))
        self.lists.add(self.empty)
        self.lists.add(self.stack, 1)
        self.spare = QWidget()
        self.lists.add(self.spare, 1)
        self._session = session

    def _make_trace(self, host: Host) -> None:
        self.trace_head = TraceHead(host)
        self.waterfall, self.flame = Waterfall(host), Flame(host)
        self.forms = QStackedWidget()
        self.forms.addWidget(self.waterfall)
        self.forms.addWidget(self.flame)
        self.opening = SentenceLabel(host, "body", wrap=True)
        self.opening_row = row_of(
            Button(host, "Back", lambda: host.act("back"), "ghost", key="Esc", icon="back"),
            self.opening,
            margins=(11, 12, 14, 12),
            wide=1,
        )
        self.trace = Card(host, "Trace")
        self.trace.add(self.trace_head)
        self.trace.add(self.opening_row)
        self.trace.add(self.forms, 1)
        self.trace.hide()

    def _open_trace(self, row: int) -> None:
        self.host.tell(self._session.open, "traces", row)

    def _open_log(self, row: int) -> None:
        """A press opens; on the record that is open already it only keeps the cursor there."""
        view = self.view
        if view is not None and view.log is not None:
            self.host.tell(self._session.point, "logs", row)
        else:
            self.host.tell(self._session.open, "logs", row)

    # ------------------------------------------------------------ sizes

    def arrange(self, width: int, phone: bool) -> None:
        """Beside each other where there is room; on the phone a trace above its span."""
        self.phone = phone
        self.row.setDirection(QHBoxLayout.Direction.TopToBottom if phone else QHBoxLayout.Direction.LeftToRight)
        self.span.setMaximumHeight(16_777_215 if not phone else SPAN_ON_PHONE)
        for card in (self.log, self.span):
            card.setMinimumWidth(0)
            card.setMaximumWidth(16_777_215)
            if not phone:
                card.setFixedWidth(SIDE if width >= 1180 else NARROW_SIDE)
        self.column.setContentsMargins(12, 10 if not phone else 4, 12, 10)
        for part, stretch in ((self.lists, 3), (self.trace, 5 if phone else 3), (self.log, 2), (self.span, 3 if phone else 2)):
            self.row.setStretchFactor(part, stretch)
        self.head.arrange(phone)
        self.trace_head.arrange(width, phone)
        if self.view is not None:
            view, self.view = self.view, None
            self.show_view(view)

    # ------------------------------------------------------------ picture

    def show_view(self, view: TracesView) -> None:
        """Paint a picture; nothing happens when it is the one already shown."""
        if view is self.view:
            return
        self.view = view
        focused = self.window().focusWidget()
        had = focused is not None and self.isAncestorOf(focused) and not isinstance(focused, FindField)
        in_trace = view.opened is not None or bool(view.opening)
        self.trace.setVisible(in_trace)
        if in_trace:
            self.head.field.hide_offers()
            self._show_trace(view)
        self.log.setVisible(view.log is not None and not in_trace)
        self.span.setVisible(view.opened is not None)
        listed = not in_trace and not (self.phone and view.log is not None)
        if listed:
            self.lists.show()
        if had and (in_trace or not listed) and not self.lists.isHidden():
            self._keep_focus(view)  # before Qt gives it to the next button
        self.lists.setVisible(listed)
        if not in_trace:
            self._show_lists(view)
        if had and listed and self.window().focusWidget() is not focused:
            self.focus_main()

    def _keep_focus(self, view: TracesView) -> None:
        """The list goes: the keyboard follows to what takes its place."""
        canvas = self.waterfall if view.opened is None or view.opened.form == "Waterfall" else self.flame
        part = self.log.facts if view.log is not None and view.opened is None and not view.opening else canvas
        part.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_lists(self, view: TracesView) -> None:
        self.head.show_view(view)
        self.empty.show_state(view.empty)
        self.stack.setVisible(view.empty is None)
        self.spare.setVisible(view.empty is not None)
        self.stack.setCurrentWidget(self.traces if view.kind == "Traces" else self.logs)
        if view.kind == "Traces":
            self.traces.show_rows(view.traces, view.cursor)
        else:
            self.logs.show_rows(view.logs, view.cursor)
            self.log.show_detail(view.log)

    def _show_trace(self, view: TracesView) -> None:
        trace = view.opened
        self.opening_row.setVisible(trace is None)
        self.opening.say(view.opening)
        self.trace_head.setVisible(trace is not None)
        self.forms.setVisible(trace is not None)
        if trace is None:
            return
        self.trace_head.show_view(trace)
        canvas = self.waterfall if trace.form == "Waterfall" else self.flame
        if self.forms.currentWidget() is not canvas:
            had = self.waterfall.hasFocus() or self.flame.hasFocus()
            self.forms.setCurrentWidget(canvas)
            if had:
                canvas.setFocus(Qt.FocusReason.OtherFocusReason)
        canvas.show_view(trace)
        self.span.show_detail(trace.detail)

    def hideEvent(self, event: QHideEvent) -> None:
        self.head.field.hide_offers()

    def restyle(self) -> None:
        for part in (self.traces, self.logs, self.span, self.log, self.head.kinds, self.head.orders, self.trace_head.forms):
            part.restyle()
        for canvas in (self.waterfall, self.flame):
            canvas.viewport().update()

    def focus_main(self) -> bool:
        """Where the keyboard goes when the page opens; False while there is nothing to go to."""
        for part in (self.waterfall, self.flame, self.traces, self.logs):
            if part.isVisibleTo(self):
                part.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return False

    def focus_field(self, name: str) -> bool:
        """The caret into the search."""
        if name not in ("find", "filter"):
            return False
        self.head.field.setFocus(Qt.FocusReason.OtherFocusReason)
        return True
