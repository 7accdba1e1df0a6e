"""The time bar: state, pause, ranges, the day's strip and the clock. Live is quiet, everything else is loud."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QMenu, QSizePolicy, QWidget

from ui.desktop import paint
from ui.desktop.buttons import Button, Segments
from ui.desktop.daystrip import DayStrip
from ui.desktop.host import Host, Painted
from ui.desktop.look import REGULAR, STRONG
from ui.views.view import FrameView, TimeView

WORDS = {"live": "LIVE", "paused": "PAUSED", "stale": "STALE", "rewound": "REWOUND"}
PATIENCE_MS = 400
"""How long something may take before a thin bar says how far it is."""


PART = 29
"""Width of each of the parts beside the word."""


class StateButton(QAbstractButton):
    """LIVE, PAUSED, STALE or REWOUND, the part that stops or goes on, and the one that goes a window back."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host, self.look = host, host.look
        self.state = ""
        self.playing = False
        self._pressed_at = 0.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._click)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed_at = event.position().x()
        super().mousePressEvent(event)

    def _click(self) -> None:
        """By the part that was pressed; a key means the middle one."""
        at, self._pressed_at = self._pressed_at, 0.0
        if self.look.phone:
            self.host.act("time.live" if self.state in ("paused", "rewound") else "time.pause")
        elif at > self.width() - PART:
            self.host.act("time.earlier")
        elif self.state == "rewound" and 0 < at <= self.width() - 2 * PART:
            self.host.act("time.live")
        else:
            self.host.act("time.pause")

    def show_state(self, state: str, playing: bool = False) -> None:
        if (state, playing) != (self.state, self.playing):
            self.state, self.playing = state, playing
            what = {"paused": "resume", "rewound": "stand still" if playing else "play on"}.get(state, "pause")
            self.setAccessibleName(f"{WORDS[state]}, press to {what}")
            tips = {
                "paused": "Space resumes, L goes live, , looks one window back",
                "rewound": "Space plays on or stands, L goes live, , and . go a window back and forward",
            }
            self.setToolTip(tips.get(state, "Space holds the view while data keep arriving, , looks one window back"))
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        words = paint.width_of(self.look.font(11 if not self.look.phone else 13, STRONG), WORDS.get(self.state, "LIVE"))
        if self.look.phone:
            return QSize(round(words) + 44, 44)
        return QSize(round(words) + 34 + 2 * PART, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        phone = self.look.phone
        whole = QRectF(self.rect()).adjusted(0.5, 5.5 if phone else 0.5, -0.5, -5.5 if phone else -0.5)
        ink, ground = {
            "live": ("accent", ""),
            "paused": ("canvas", "text-primary"),
            "stale": ("unknown", "unknown-tint"),
            "rewound": ("on-accent", "accent"),
        }.get(self.state, ("text-secondary", ""))
        radius = whole.height() / 2 if phone else 5
        word = whole.adjusted(0, 0, 0 if phone else -2 * PART, 0)
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
            going = "play" if self.state == "paused" or (self.state == "rewound" and not self.playing) else "pause"
            for number, name in enumerate((going, "back")):
                box = QRectF(word.right() + number * PART, whole.top(), PART, whole.height())
                painter.fillRect(QRectF(box.left(), whole.top() + 1, 1, whole.height() - 2), self.look.colour("line-strong"))
                paint.icon(painter, self.look, name, paint.centred(box, 12, box.left() + 9))
        if self.hasFocus():
            paint.focus_ring(painter, self.look, QRectF(self.rect()))

    def _sign(self, painter: QPainter, box: QRectF, ink: str) -> None:
        at = paint.centred(box, 12, box.left() + (10 if self.look.phone else 7))
        if self.state == "live":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.brush(ink))
            painter.drawEllipse(at.center(), 3.5, 3.5)
        elif self.state in ("paused", "rewound"):
            paint.icon(painter, self.look, "pause" if self.state == "paused" else "back", at, ink)
        else:
            paint.shape(painter, self.look, "unknown", at, "card")


class Clock(Painted):
    """The only thing that changes each second."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.clock, self.below, self.awaited = "", "", ""
        self.setAccessibleName("Clock")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def show_time(self, time: TimeView) -> None:
        below = time.awaited or time.behind or time.date
        if below != self.below:
            self.below = below
            self.updateGeometry()
        elif time.clock == self.clock:
            return
        self.clock, self.awaited = time.clock, time.awaited
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
            self.look.colour("accent" if self.awaited else "text-secondary"),
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
        self.speed = Button(host, "1x", self._choose_speed, "ghost", icon="play")
        self.speed.setAccessibleName("Speed")
        self.ranges = Segments(host, "Range", lambda label: host.tell(host.session.choose, "range", label))
        self.others = Button(host, "…", self._choose_range, "ghost")
        self.others.setAccessibleName("Other ranges and times")
        self.others.setToolTip("All ranges, and a time to go to (@)")
        self.strip = DayStrip(host)
        self.clock = Clock(host)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(12, 0, 12, 0)
        self.row.setSpacing(10)
        for widget in (self.state, self.speed, self.ranges, self.others):
            self.row.addWidget(widget)
        self.row.addWidget(self.strip, 1)
        self.row.addWidget(self.clock)
        self.time: TimeView | None = None
        self._phone = False
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.timeout.connect(self.update)
        self.arrange(False)

    def arrange(self, phone: bool) -> None:
        self._phone = phone
        self.setFixedHeight(52 if phone else 44)
        for widget in (self.state, self.clock, self.speed, self.others):
            widget.updateGeometry()
        self.ranges.restyle()
        if self.time is not None:
            self.show_frame_time(self.time)

    def show_frame(self, frame: FrameView) -> None:
        if self.time is not frame.time:
            self.time = frame.time
            self.show_frame_time(frame.time)

    def show_frame_time(self, time: TimeView) -> None:
        self.state.show_state(time.state, time.playing)
        back = time.state == "rewound"
        self.speed.setVisible(back)
        if back:
            self.speed.say(time.speed, why="How fast the past plays: > and < change it")
        few = time.usual or time.ranges
        shown = (time.range_label,) if self._phone else few if time.range_label in few else (*few, time.range_label)
        self.ranges.show_choices([(label, "") for label in shown], time.range_label)
        self.others.setVisible(not self._phone)
        self.strip.show_time(time)
        self.clock.show_time(time)
        if time.progress is not None and not self._late.isActive() and not self._late.property("due"):
            self._late.setProperty("due", True)
            self._late.start(PATIENCE_MS)
        elif time.progress is None:
            self._late.setProperty("due", False)
            self._late.stop()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        time = self.time
        if time is None or time.progress is None or self._late.isActive():
            return
        painter = QPainter(self)
        wide = max(24.0, time.progress * self.width())
        painter.fillRect(QRectF(0, self.height() - 3, wide, 3), self.host.look.colour("accent"))

    def _choose(self, what: str, label: str) -> None:
        self.host.tell(self.host.session.choose, what, label)

    def _choose_range(self) -> None:
        if self.time is None:
            return
        menu = QMenu(self)
        for label in self.time.ranges:
            entry = menu.addAction(label, partial(self._choose, "range", label))
            entry.setCheckable(True)
            entry.setChecked(label == self.time.range_label)
        menu.addSeparator()
        menu.addAction("Go to a time…\t@", lambda: self.host.act("time.goto"))
        menu.popup(self.others.mapToGlobal(self.others.rect().bottomLeft()))

    def _choose_speed(self) -> None:
        if self.time is None:
            return
        menu = QMenu(self)
        menu.addAction("Stand still" if self.time.playing else "Play on", lambda: self.host.act("time.pause"))
        menu.addSeparator()
        for label in self.time.speeds:
            entry = menu.addAction(label, partial(self._choose, "speed", label))
            entry.setCheckable(True)
            entry.setChecked(label == self.time.speed)
        menu.popup(self.speed.mapToGlobal(self.speed.rect().bottomLeft()))
