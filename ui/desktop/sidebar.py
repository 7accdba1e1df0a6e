"""Navigation: the sidebar with names and keys, its narrow rail, and the bottom bar of the phone."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu

from ui.desktop import paint, shapes
from ui.desktop.host import Host, Painted
from ui.desktop.look import MEDIUM, REGULAR, STRONG, Look
from ui.views.theme import tokens
from ui.views.view import FrameView, Tab

SIDEBAR = int(tokens()["size"]["sidebar"])
RAIL = int(tokens()["size"]["rail"])
BOTTOM = 62
ON_PHONE = 4
"""Pages of the phone's bar; where there are more, the rest are behind More."""


def draw_mark(painter: QPainter, look: Look, box: QRectF) -> None:
    """The lighthouse."""
    parts = tuple((look.colour(name), part) for name, part in shapes.MARK)
    shapes.draw(painter, parts, box, look.colour("canvas"))


def short(name: str) -> str:
    """The first of two things a page is named after, where there is no room for both."""
    return name.partition(" & ")[0]


def initials(name: str) -> str:
    """At most two letters of who somebody is."""
    letters = [word[0] for word in name.replace("-", " ").replace("_", " ").replace(".", " ").split() if word[0].isalnum()]
    if len(letters) < 2:
        letters = [letter for letter in name if letter.isalnum()][:2]
    return "".join(letters[:2]).upper() or "?"


class Navigation(Painted):
    """A list of pages of which one is open; arrows walk it, Enter and a click open."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.setAccessibleName("Pages")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.frame: FrameView | None = None
        self._over = -1

    def show_frame(self, frame: FrameView) -> None:
        """Repaints only when something shown here changed."""
        old = self.frame
        self.frame = frame
        same = old is not None and (old.tabs, old.page, old.collector, old.who, old.connected) == (
            frame.tabs,
            frame.page,
            frame.collector,
            frame.who,
            frame.connected,
        )
        if not same:
            names = ", ".join(f"{t.name}{' ' + t.badge if t.badge else ''}" for t in frame.tabs)
            self.setAccessibleDescription(f"{frame.page}. {names}. Collector {frame.collector}, signed in as {frame.who}.")
            self.update()

    def boxes(self) -> list[QRectF]:
        raise NotImplementedError

    def tabs(self) -> tuple[Tab, ...]:
        return self.frame.tabs if self.frame else ()

    def press(self, number: int) -> None:
        if 0 <= number < len(self.tabs()):
            self.host.act(f"page.{self.tabs()[number].page}")

    def _ring(self, painter: QPainter) -> None:
        """Round the page that is open: there Enter and the arrows start."""
        for tab, box in zip(self.tabs(), self.boxes(), strict=False):
            if self.frame is not None and tab.page == self.frame.page:
                paint.focus_ring(painter, self.look, box.adjusted(-2, -2, 2, 2))

    def _small_badge(self, painter: QPainter, spot: QRectF, badge: str, shape: str | None, font: QFont) -> None:
        """A number beside an icon; for a word there is no room, so it is a dot."""
        if badge.isdigit():
            paint.words(painter, spot, badge, font, self.look.colour(shape or "text-secondary"))
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush("series-1"))
        painter.drawEllipse(QRectF(spot.left() + 2, spot.center().y() - 3, 6, 6))

    def _at(self, point: QPointF) -> int:
        return next((number for number, box in enumerate(self.boxes()) if box.contains(point)), -1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.press(self._at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._at(event.position())
        if over != self._over:
            self._over = over
            self.setCursor(Qt.CursorShape.PointingHandCursor if over >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._over = -1
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()


class Sidebar(Navigation):
    """176 pixels with names and keys, or a rail of 52 with small names below the icons."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.rail = False
        self.want(SIDEBAR, 0)

    def set_rail(self, rail: bool) -> None:
        if rail != self.rail:
            self.rail = rail
            self.want(RAIL if rail else SIDEBAR, 0)
            self.update()

    def boxes(self) -> list[QRectF]:
        if self.rail:
            return [QRectF(3, 54 + 50 * i, RAIL - 7, 46) for i in range(len(self.tabs()))]
        return [QRectF(8, 96 + 32 * i, SIDEBAR - 17, 30) for i in range(len(self.tabs()))]

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        painter.fillRect(self.rect(), self.look.colour("canvas"))
        painter.fillRect(QRectF(self.width() - 1, 0, 1, self.height()), self.look.colour("line-subtle"))
        if self.frame is None:
            return
        if self.rail:
            draw_mark(painter, self.look, QRectF(15, 12, 21, 21))
        else:
            draw_mark(painter, self.look, QRectF(14, 12, 21, 21))
            paint.words(
                painter, QRectF(43, 11, 120, 24), "Lightship", self.look.font(14, STRONG), self.look.colour("text-primary")
            )
            self._collector(painter, self.frame)
        for number, (tab, box) in enumerate(zip(self.tabs(), self.boxes(), strict=True)):
            self._tab(painter, tab, box, tab.page == self.frame.page, number == self._over)
        self._person(painter, self.frame.who)
        if self.hasFocus():
            self._ring(painter)

    def _collector(self, painter: QPainter, frame: FrameView) -> None:
        box = QRectF(8.5, 47.5, SIDEBAR - 18, 37)
        painter.setPen(self.look.pen("line-strong"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 5, 5)
        inner = box.adjusted(9, 3, -9, -3)
        paint.words(
            painter,
            QRectF(inner.left(), inner.top(), inner.width(), 13),
            "Collector",
            self.look.font("axis"),
            self.look.colour("text-secondary"),
        )
        name = QRectF(inner.left(), inner.top() + 13, inner.width() - 18, 18)
        paint.words(painter, name, frame.collector, self.look.font("body", MEDIUM), self.look.colour("text-primary"), middle=True)
        sign = "ok" if frame.connected else "unknown"
        paint.shape(painter, self.look, sign, QRectF(inner.right() - 12, name.center().y() - 6, 12, 12), "canvas")  # type: ignore[arg-type]

    def _tab(self, painter: QPainter, tab: Tab, box: QRectF, on: bool, over: bool) -> None:
        if on or over:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.look.brush("raised", 1.0 if on else 0.5))
            painter.drawRoundedRect(box, 5, 5)
        ink = "text-primary" if on else "text-secondary"
        if self.rail:
            paint.icon(painter, self.look, tab.page, QRectF(box.center().x() - 8, box.top() + 8, 16, 16), "accent" if on else ink)
            font = self.look.font("axis", MEDIUM)
            paint.words(
                painter,
                QRectF(box.left(), box.top() + 27, box.width(), 14),
                short(tab.name),
                font,
                self.look.colour(ink),
                paint.CENTRE,
            )
            if tab.badge:
                spot = QRectF(box.center().x() + 8, box.top() + 2, 16, 13)
                self._small_badge(painter, spot, tab.badge, tab.badge_shape, self.look.font("axis", STRONG))
            return
        paint.icon(painter, self.look, tab.page, paint.centred(box, 16, box.left() + 7), "accent" if on else ink)
        paint.words(painter, box.adjusted(32, 0, -40, 0), tab.name, self.look.font(13, MEDIUM), self.look.colour(ink))
        if tab.badge:
            colour = tab.badge_shape or "text-secondary"
            font = self.look.font("small", STRONG)
            width = paint.words(painter, box.adjusted(0, 0, -7, 0), tab.badge, font, self.look.colour(colour), paint.RIGHT)
            if tab.badge_shape:
                paint.shape(painter, self.look, tab.badge_shape, paint.centred(box, 11, box.right() - 7 - width - 15), "canvas")
        else:
            paint.keycap(painter, self.look, box.right() - 7, box.center().y(), tab.key)

    def _person(self, painter: QPainter, who: str) -> None:
        top = self.height() - 46.0
        if not self.rail:
            painter.fillRect(QRectF(8, top, SIDEBAR - 17, 1), self.look.colour("line-subtle"))
        circle = QRectF(12 if not self.rail else 13, top + 11, 26, 26)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush("accent-tint"))
        painter.drawEllipse(circle)
        paint.words(painter, circle, initials(who), self.look.font("axis", STRONG), self.look.colour("accent"), paint.CENTRE)
        if not self.rail:
            place = QRectF(46, circle.top(), SIDEBAR - 56, 26)
            paint.words(painter, place, who, self.look.font("small", MEDIUM), self.look.colour("text-primary"), middle=True)


MORE = "More"


class BottomBar(Navigation):
    """The phone's navigation: icon over name, 62 high; More opens what has no room."""

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.want(0, BOTTOM)

    def tabs(self) -> tuple[Tab, ...]:
        return super().tabs()[:ON_PHONE]

    def others(self) -> tuple[Tab, ...]:
        """Pages behind More."""
        return super().tabs()[ON_PHONE:]

    def boxes(self) -> list[QRectF]:
        count = len(self.tabs()) + 1
        each = self.width() / count
        return [QRectF(i * each, 0, each, BOTTOM) for i in range(count)]

    def sizeHint(self) -> QSize:
        return QSize(300, BOTTOM)

    def press(self, number: int) -> None:
        if number == len(self.tabs()):
            self.more_menu().popup(self.mapToGlobal(self.rect().topRight()))
            return
        super().press(number)

    def more_menu(self) -> QMenu:
        """Commands, keys and theme: what the desktop has in its bars."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        pages = tuple((tab.name, f"page.{tab.page}") for tab in self.others())
        for words, action in (
            *pages,
            ("Find a command", "palette.open"),
            ("Keys", "help.open"),
            ("Next theme", "theme.next"),
            ("Go live", "time.live"),
        ):
            menu.addAction(words).triggered.connect(lambda _=False, name=action: self.host.act(name))
        return menu

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        painter.fillRect(self.rect(), self.look.colour("card"))
        painter.fillRect(QRectF(0, 0, self.width(), 1), self.look.colour("line-subtle"))
        if self.frame is None:
            return
        names = [(tab.page, short(tab.name), tab.badge, tab.badge_shape, tab.page == self.frame.page) for tab in self.tabs()]
        beyond = self.frame.page in {tab.page for tab in self.others()}
        for (sign, name, badge, shape, on), box in zip([*names, ("more", MORE, "", None, beyond)], self.boxes(), strict=True):
            ink = "text-primary" if on else "text-secondary"
            middle = box.center().x()
            paint.icon(painter, self.look, sign, QRectF(middle - 10, 11, 20, 20), "accent" if on else ink)
            font = self.look.font(12, MEDIUM if on else REGULAR)
            paint.words(painter, QRectF(box.left(), 36, box.width(), 16), name, font, self.look.colour(ink), paint.CENTRE)
            if badge:
                spot = QRectF(middle + 8, 4, 30, 15)
                self._small_badge(painter, spot, badge, shape, self.look.font(12, STRONG))
        if self.hasFocus():
            self._ring(painter)
