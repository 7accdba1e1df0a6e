"""The top bar: page, what it is about, the filter and the way into the palette."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QSizePolicy, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button
from ui.desktop.host import Host, Painted, has_caret
from ui.desktop.labels import Label, heading, muted
from ui.desktop.sidebar import draw_mark
from ui.views.view import FrameView

PALETTE_WORDS = "Find a metric, service, action…"


class Field(QLineEdit):
    """A text field whose text belongs to the session: every change is told, an outside change is shown while it has no focus."""

    def __init__(self, host: Host, what: str, name: str, placeholder: str = "") -> None:
        super().__init__()
        self.host, self.what = host, what
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setFont(host.look.font("body"))
        self.setMaxLength(4096)
        self.textEdited.connect(self._edited)
        self.returnPressed.connect(lambda: host.tell(host.session.submit, what))

    def _edited(self, text: str) -> None:
        self.host.tell(self.host.session.set_text, self.what, text, self.cursorPosition())

    def show_text(self, text: str) -> None:
        """What the session holds; the caret stays where it is."""
        if text != self.text():
            at = self.cursorPosition()
            self.setText(text)
            self.setCursorPosition(min(at, len(text)) if has_caret(self) else 0)

    def wrong(self, why: str) -> None:
        """Mark the field when what stands in it cannot be used."""
        from ui.desktop.labels import literal_tip

        state = "true" if why else "false"
        if self.property("wrong") != state:
            self.setProperty("wrong", state)
            self.style().unpolish(self)
            self.style().polish(self)
        self.setToolTip(literal_tip(why))
        self.setAccessibleDescription(why)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.host.session.focus(self.what)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.ActiveWindowFocusReason and self.host.field_left(self.what):
            self.host.session.focus("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self.what.startswith("silence."):
            self._to_neighbour(event.key() == Qt.Key.Key_Down)
            return
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            event.ignore()
            return
        super().keyPressEvent(event)

    def _to_neighbour(self, below: bool) -> None:
        """The caret into the next field of the same form, where there is one."""
        beside: QWidget | None = self
        for _ in range(6):
            if beside is not None:
                beside = beside.nextInFocusChain() if below else beside.previousInFocusChain()
            if isinstance(beside, Field) and beside.what.startswith("silence."):
                beside.setFocus(Qt.FocusReason.TabFocusReason if below else Qt.FocusReason.BacktabFocusReason)
                return


class PaletteButton(Button):
    """Looks like a field, opens the palette."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, PALETTE_WORDS, lambda: host.act("palette.open"), key="Ctrl K", icon="search")
        self.setAccessibleName("Command palette")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.small = False

    def sizeHint(self) -> QSize:
        if self.look.phone:
            return QSize(44, 44)
        return QSize(38 if self.small else 290, 28)

    def minimumSizeHint(self) -> QSize:
        return QSize(38, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if self.look.phone:
            paint.icon(painter, self.look, "search", paint.centred(box, 20, box.center().x() - 10))
        else:
            painter.setPen(self.look.pen("line-control"))
            painter.setBrush(self.look.brush("raised") if self.underMouse() else Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, 5, 5)
            paint.icon(painter, self.look, "search", paint.centred(box, 14, box.left() + 9))
            if box.width() > 90:
                cap = paint.keycap(painter, self.look, box.right() - 6, box.center().y(), self.key)
                room = box.adjusted(31, 0, -cap - 12, 0)
                paint.words(painter, room, self.text(), self.look.font("body"), self.look.colour("text-secondary"))
        if self.hasFocus():
            paint.focus_ring(painter, self.look, QRectF(self.rect()))


class Mark(Painted):
    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.want(26, 26)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_mark(painter, self.look, QRectF(2, 1, 23, 23))


class TopBar(QWidget):
    """46 pixels above everything; on the phone mark, page and the search sign."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.mark = Mark(host)
        self.name: Label = heading(host, "", "title")
        self.subtitle: Label = muted(host, role="body")
        self.filter = Field(host, "filter", "Filter this page", "Filter  /")
        self.filter.setClearButtonEnabled(False)
        self.palette_button = PaletteButton(host)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(10)
        for widget in (self.mark, self.name, self.subtitle):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.filter)
        row.addWidget(self.palette_button)
        self.arrange(phone=False, narrow=False)

    def arrange(self, phone: bool, narrow: bool) -> None:
        """Phone: larger name, no filter field (the page has its own); narrow: shorter fields."""
        self.mark.setVisible(phone)
        self.setFixedHeight(52 if phone else 46)
        self.name.role = 20 if phone else "title"
        self.name.updateGeometry()
        self.subtitle.setVisible(not phone)
        self.filter.setVisible(not phone)
        self.filter.setFixedWidth(160 if narrow else 200)
        self.palette_button.small = False
        self.palette_button.setFixedWidth(44 if phone else 200 if narrow else 290)

    def show_frame(self, frame: FrameView) -> None:
        name = next((tab.name for tab in frame.tabs if tab.page == frame.page), "")
        self.name.say(name)
        self.subtitle.say(frame.subtitle)
        self.filter.setVisible(frame.page == "alerts" and not self.host.look.phone)

    def show_filter(self, text: str, error: str) -> None:
        self.filter.show_text(text)
        self.filter.wrong(error)
