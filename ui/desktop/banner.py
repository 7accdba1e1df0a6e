"""The banner above a page, the incident's head on Overview, and the toast below left: one of each at a time."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button, link
from ui.desktop.host import Host, Painted
from ui.desktop.labels import SentenceLabel
from ui.desktop.look import MEDIUM
from ui.views.theme import GLYPHS, tokens
from ui.views.view import Banner, Text, Toast

TOAST_HOLD = int(tokens()["motion"]["toast-hold"])


class Ground(Painted):
    """A tinted, rounded ground with a severity edge at its left."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.shape = "critical"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        box = QRectF(self.rect())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush(self.shape))
        painter.drawRoundedRect(box, 8, 8)
        painter.save()
        painter.setClipRect(box.adjusted(3, 0, 0, 0))
        painter.setBrush(self.look.brush("canvas"))
        painter.drawRoundedRect(box, 8, 8)
        painter.setBrush(self.look.brush(f"{self.shape}-tint"))
        painter.drawRoundedRect(box, 8, 8)
        painter.restore()


class Sign(Painted):
    """A state's shape alone."""

    def __init__(self, host: Host, size: int = 16) -> None:
        super().__init__(host)
        self.shape, self.behind, self.size_px = "ok", "card", size
        self.icon = ""
        """Painted in the accent's colour in place of the shape."""
        self.want(size, size + 4)

    def show_shape(self, shape: str, behind: str = "card") -> None:
        if (shape, behind) != (self.shape, self.behind):
            self.shape, self.behind = shape, behind
            self.setAccessibleName(GLYPHS[shape].word)  # type: ignore[index]
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        box = paint.centred(QRectF(self.rect()), self.size_px)
        if self.icon:
            paint.icon(painter, self.look, self.icon, box, "accent")
            return
        paint.shape(painter, self.look, self.shape, box, self.behind)  # type: ignore[arg-type]


class BannerBar(Ground):
    """Names the fact, since when, and one thing to do."""

    def __init__(self, host: Host, large: bool = False) -> None:
        super().__init__(host)
        self.banner: Banner | None = None
        self.large = large
        self.sign = Sign(host, 20 if large else 16)
        self.title = SentenceLabel(host, 14 if large else "body", soft="text-primary")
        self.detail = SentenceLabel(host, "small" if not large else 12, soft="text-primary")
        self.button = Button(host, "", self._press, "primary" if large else "plain")
        self.second = Button(host, "Silence…", lambda: host.act("alert.silence"))
        self.second.acts = True
        self.words = QVBoxLayout()
        self.words.setSpacing(2)
        self.words.addStretch(1)
        self.words.addWidget(self.title)
        self.words.addWidget(self.detail)
        self.words.addStretch(1)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(8)
        self.buttons.addWidget(self.second)
        self.buttons.addWidget(self.button)
        self.row = QHBoxLayout()
        self.row.setSpacing(12)
        self.row.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignVCenter)
        self.row.addLayout(self.words, 1)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(15, 8, 12, 8)
        self.column.setSpacing(8)
        self.column.addLayout(self.row)
        self.row.addLayout(self.buttons)
        self.second.setVisible(large)
        self.hide()

    def arrange(self, phone: bool) -> None:
        """On the phone the words wrap and the buttons lie below, across the whole width."""
        self.row.removeItem(self.buttons)
        self.column.removeItem(self.buttons)
        (self.column if phone else self.row).addLayout(self.buttons)
        for button in (self.button, self.second):
            grow = QSizePolicy.Policy.Expanding if phone else QSizePolicy.Policy.Minimum
            button.setSizePolicy(grow, QSizePolicy.Policy.Fixed)
            button.updateGeometry()
        self.title.role = 16 if phone and self.large else 14 if self.large else "body"
        for label in (self.title, self.detail):
            label.wrap = phone
            policy = QSizePolicy(
                QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred if phone else QSizePolicy.Policy.Fixed
            )
            policy.setHeightForWidth(phone)
            label.setSizePolicy(policy)
        self.row.setAlignment(self.sign, Qt.AlignmentFlag.AlignTop if phone else Qt.AlignmentFlag.AlignVCenter)

    def _press(self) -> None:
        if self.banner is not None and self.banner.action:
            self.host.act(self.banner.action)

    def show_banner(self, banner: Banner | None) -> None:
        """None hides it."""
        if banner == self.banner:
            return
        self.banner = banner
        self.setVisible(banner is not None)
        if banner is None:
            return
        self.shape = banner.tone or banner.shape
        self.sign.icon = "back" if banner.tone else ""
        self.sign.show_shape(banner.shape, f"{self.shape}-tint")
        self.title.say((Text(banner.title, True),))
        self.detail.say(banner.detail)
        self.detail.setVisible(bool(banner.detail))
        word = "Rewound" if banner.tone else GLYPHS[banner.shape].word
        self.setAccessibleName(f"{word}: {banner.title} {banner.detail}".strip())
        self.button.setVisible(bool(banner.label))
        self.button.say(banner.label)
        self.update()

    def sizeHint(self) -> QSize:
        return self.column.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self.column.minimumSize()


class ToastBar(QWidget):
    """What was just done and the way back. Errors stay until they are dismissed."""

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(parent)
        self.host, self.look = host, host.look
        self.toast: Toast | None = None
        self.text = SentenceLabel(host, "body", soft="text-primary")
        self.undo = link(host, "Undo", self._undo)
        self.close_button = Button(host, "", self._dismiss, "ghost", icon="close")
        self.close_button.setAccessibleName("Dismiss")
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 8, 6)
        row.setSpacing(10)
        row.addWidget(self.text, 1)
        row.addWidget(self.undo)
        row.addWidget(self.close_button)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.timeout.connect(self.hide)
        self.hide()

    def _dismiss(self) -> None:
        self.hide()
        self.host.tell(self.host.session.dismiss)

    def _undo(self) -> None:
        self.hide()
        self.host.act("undo")

    def show_toast(self, toast: Toast | None) -> None:
        if toast == self.toast:
            return
        self.toast = toast
        if toast is None:
            self.hide()
            return
        self.text.say(toast.text)
        self.setAccessibleName(toast.text)
        self.undo.setVisible(bool(toast.undo))
        self.undo.say(toast.undo or "Undo")
        self.place()
        self.show()
        self.raise_()
        self.timer.stop()
        if not toast.error:
            self.timer.start(TOAST_HOLD)

    def place(self) -> None:
        """Bottom left, above the status bar; as wide as its words."""
        above = self.parentWidget()
        if above is None or self.toast is None:
            return
        words = paint.width_of(self.look.font("body", MEDIUM), self.toast.text)
        width = min(round(words) + 150, above.width() - 24)
        height = 48 if self.look.phone else 42
        self.setGeometry(12, above.height() - height - (74 if self.look.phone else 36), width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        error = self.toast is not None and self.toast.error
        painter.setPen(self.look.pen("critical" if error else "line-control"))
        painter.setBrush(self.look.brush("raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
