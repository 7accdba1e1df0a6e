"""The time bar: state, pause, ranges, the last 24 hours and the clock. Live is quiet, everything else is loud."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Segments
from ui.desktop.host import Host, Painted
from ui.desktop.look import REGULAR, STRONG
from ui.views.theme import GLYPHS
from ui.views.view import FrameView, TimeView

WORDS = {"live": "LIVE", "paused": "PAUSED", "stale": "STALE"}


class StateButton(QAbstractButton):
    """LIVE, PAUSED or STALE, and the button that stops or goes on."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host, self.look = host, host.look
        self.state = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda: host.act("time.live" if self.state == "paused" and self.look.phone else "time.pause"))

    def show_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            what = "resume" if state == "paused" else "pause"
            self.setAccessibleName(f"{WORDS[state]}, press to {what}")
            self.setToolTip("Space resumes, L goes live" if state == "paused" else "Space holds the view; data keep arriving")
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        words = paint.width_of(self.look.font(11 if not self.look.phone else 13, STRONG), WORDS.get(self.state, "LIVE"))
        if self.look.phone:
            return QSize(round(words) + 44, 44)
        return QSize(round(words) + 34 + 29, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        phone = self.look.phone
        whole = QRectF(self.rect()).adjusted(0.5, 5.5 if phone else 0.5, -0.5, -5.5 if phone else -0.5)
        ink, ground = {"live": ("accent", ""), "paused": ("canvas", "text-primary"), "stale": ("unknown", "unknown-tint")}.get(
            self.state, ("text-secondary", "")
        )
        radius = whole.height() / 2 if phone else 5
        word = whole.adjusted(0, 0, 0 if phone else -29, 0)
        if ground:
            painter.save()
            painter.setClipRect(word)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.brush(ground))
            painter.drawRoundedRect(whole, radius, radius)
            painter.restore()
        painter.setPen(self.look.pen("line-control"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(whole, radius, radius)
        self._sign(painter, word, ink)
        font = self.look.font(13 if phone else 11, STRONG)
        paint.words(painter, word.adjusted(27 if phone else 24, 0, 0, 0), WORDS.get(self.state, ""), font, self.look.colour(ink))
        if not phone:
            painter.fillRect(QRectF(word.right(), whole.top() + 1, 1, whole.height() - 2), self.look.colour("line-strong"))
            box = QRectF(word.right(), whole.top(), 29, whole.height())
            name = "play" if self.state == "paused" else "pause"
            paint.icon(painter, self.look, name, paint.centred(box, 12, box.left() + 9))
        if self.hasFocus():
            paint.focus_ring(painter, self.look, QRectF(self.rect()))

    def _sign(self, painter: QPainter, box: QRectF, ink: str) -> None:
        at = paint.centred(box, 12, box.left() + (10 if self.look.phone else 7))
        if self.state == "live":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.brush(ink))
            painter.drawEllipse(at.center(), 3.5, 3.5)
        elif self.state == "paused":
            paint.icon(painter, self.look, "pause", at, ink)
        else:
            paint.shape(painter, self.look, "unknown", at, "card")


class DayStrip(Painted):
    """The last 24 hours: height is load, colour and height severity; kept as a picture until it changes."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.strip: tuple[tuple[object, float], ...] = ()
        self.time: TimeView | None = None
        self._kept: tuple[object, QPixmap] | None = None
        self.setAccessibleName("The last 24 hours")
        self.want(0, 30)

    def show_time(self, time: TimeView) -> None:
        old = self.time
        self.time = time
        if old is None or old.strip != time.strip or old.range_label != time.range_label or old.state != time.state:
            bad = [GLYPHS[shape].word for shape, _ in time.strip if shape not in (None, "ok")]
            self.setAccessibleDescription(
                f"{len(bad)} of {len(time.strip)} half hours with alerts: {', '.join(dict.fromkeys(bad)) or 'none'}"
            )
            self._kept = None
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.time is None or self.width() < 30:
            return
        ratio = self.devicePixelRatioF()
        key = (self.width(), self.height(), ratio, self.look.theme.name)
        if self._kept is None or self._kept[0] != key:
            picture = QPixmap(round(self.width() * ratio), round(self.height() * ratio))
            picture.setDevicePixelRatio(ratio)
            picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(picture)
            paint.crisp(painter)
            self._draw(painter, self.time)
            painter.end()
            self._kept = (key, picture)
        QPainter(self).drawPixmap(0, 0, self._kept[1])

    def _draw(self, painter: QPainter, time: TimeView) -> None:
        count = max(1, len(time.strip))
        pitch, foot = (self.width() - 2) / count, self.height() - 5.0
        wide = min(pitch - 1.5, 9.0)
        painter.setPen(Qt.PenStyle.NoPen)
        for number, (shape, load) in enumerate(time.strip):
            bad = shape not in (None, "ok")
            share = GLYPHS[shape].block if bad and shape is not None else 0.0
            height = max(5.0, 18.0 * share**1.4) if bad else 2.0 + 5.0 * max(0.0, min(1.0, load))
            painter.setBrush(self.look.brush(str(shape) if bad else "line-strong"))
            painter.drawRoundedRect(QRectF(number * pitch + (pitch - wide) / 2, foot - height, wide, height), 1, 1)
        edge = self.width() - 2.0
        window = QRectF(edge - max(9.0, _share(time.range_label) * (self.width() - 2)), 1.5, 0, self.height() - 3)
        window.setRight(edge)
        ink = "accent" if time.state == "live" else "text-primary"
        painter.setPen(QPen(self.look.colour(ink), 1.4))
        painter.setBrush(self.look.brush(ink, 0.18))
        painter.drawRoundedRect(window.adjusted(0.5, 0, -0.5, 0), 3, 3)
        painter.fillRect(QRectF(edge - 1, 0, 2, self.height()), self.look.colour(ink))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.host.act("time.live")


def _share(label: str) -> float:
    """The part of a day a range covers, from its label ("30 m")."""
    number, _, unit = label.partition(" ")
    seconds = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}.get(unit.strip(), 60.0)
    try:
        return min(1.0, float(number) * seconds / 86400.0)
    except ValueError:
        return 0.02


class Clock(Painted):
    """The only thing that changes each second."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.clock, self.below = "", ""
        self.setAccessibleName("Clock")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_time(self, time: TimeView) -> None:
        below = time.behind or time.date
        if below != self.below:
            self.below = below
            self.updateGeometry()
        elif time.clock == self.clock:
            return
        self.clock = time.clock
        self.setAccessibleDescription(f"{time.clock}, {below}")
        self.update()

    def sizeHint(self) -> QSize:
        wide = paint.width_of(self.look.font(13, STRONG), "00:00:00")
        if not self.look.phone:
            wide = max(wide, paint.width_of(self.look.font("axis"), self.below))
        return QSize(round(wide) + 4, 44 if self.look.phone else 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        box = QRectF(self.rect())
        if self.look.phone:
            paint.words(painter, box, self.clock, self.look.font(13, STRONG), self.look.colour("text-primary"), paint.RIGHT)
            return
        upper = QRectF(0, 0, box.width(), 17)
        paint.words(painter, upper, self.clock, self.look.font(13, STRONG), self.look.colour("text-primary"), paint.RIGHT)
        paint.words(
            painter,
            upper.translated(0, 16),
            self.below,
            self.look.font("axis", REGULAR),
            self.look.colour("text-secondary"),
            paint.RIGHT,
        )


class TimeBar(QWidget):
    """Above everything it governs, on every page; one line on the phone."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.host = host
        self.state = StateButton(host)
        self.ranges = Segments(host, "Range", lambda label: host.tell(host.session.choose, "range", label))
        self.strip = DayStrip(host)
        self.clock = Clock(host)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(10)
        for widget in (self.state, self.ranges):
            row.addWidget(widget)
        row.addWidget(self.strip, 1)
        row.addWidget(self.clock)
        self.time: TimeView | None = None
        self._phone = False
        self.arrange(False)

    def arrange(self, phone: bool) -> None:
        self._phone = phone
        self.setFixedHeight(52 if phone else 44)
        for widget in (self.state, self.clock):
            widget.updateGeometry()
        self.ranges.restyle()
        if self.time is not None:
            self.show_frame_time(self.time)

    def show_frame(self, frame: FrameView) -> None:
        if self.time is not frame.time:
            self.time = frame.time
            self.show_frame_time(frame.time)

    def show_frame_time(self, time: TimeView) -> None:
        self.state.show_state(time.state)
        shown = (
            (time.range_label,)
            if self._phone
            else time.ranges
            if time.range_label in time.ranges
            else (*time.ranges, time.range_label)
        )
        self.ranges.show_choices([(label, "") for label in shown], time.range_label)
        self.strip.show_time(time)
        self.clock.show_time(time)
