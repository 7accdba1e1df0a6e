"""Buttons, links, check boxes and segments: each says its word, shows its key and paints its own focus ring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.look import MEDIUM, REGULAR, STRONG

Kind = Literal["plain", "primary", "accent", "ghost", "danger", "link"]


class Button(QAbstractButton):
    """A push button with an optional key cap and icon; `kind` says how loud it is."""

    def __init__(
        self, host: Host, text: str, pressed: Callable[[], object], kind: Kind = "plain", key: str = "", icon: str = ""
    ) -> None:
        super().__init__()
        self.host, self.look, self.kind, self.key, self.icon_name = host, host.look, kind, key, icon
        self.acts = False
        """Whether it changes something: the window locks it while nothing can be changed."""
        self._on, self._why, self._locked = True, "", ""
        self.setText(text)
        self.setAccessibleName(text)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda: pressed())

    def say(self, text: str, enabled: bool = True, why: str = "") -> None:
        """Change the words; a button that is off says why in its tooltip."""
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)
            self.updateGeometry()
        self._on, self._why = enabled, why
        self._allow()

    def lock(self, why: str) -> None:
        """Off whatever its own state is, for this reason; "" ends that."""
        self._locked = why
        self._allow()

    def _allow(self) -> None:
        enabled, why = self._on and not self._locked, self._locked or self._why
        if enabled != self.isEnabled():
            self.setEnabled(enabled)
        if why != self.toolTip():
            self.setToolTip(why)

    def _font_size(self) -> int:
        if self.look.phone:
            return 14
        return 11 if self.kind == "link" else 12

    def sizeHint(self) -> QSize:
        font = self.look.font(self._font_size(), STRONG if self.kind == "primary" else MEDIUM)
        width = paint.width_of(font, self.text()) + (4 if self.kind == "link" else 22)
        if self.key and not self.look.phone:
            width += paint.keycap_width(self.look, self.key) + 6
        if self.icon_name:
            width += 18
        return QSize(round(width), 44 if self.look.phone else 26)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        ink = self._ground(painter, box)
        font = self.look.font(self._font_size(), STRONG if self.kind == "primary" else MEDIUM)
        cap = paint.keycap_width(self.look, self.key) + 6 if self.key and not self.look.phone else 0.0
        sign = 18.0 if self.icon_name and self.text() else 0.0
        width = min(paint.width_of(font, self.text()), box.width() - cap - sign)
        left = box.center().x() - (width + cap + sign) / 2
        if self.icon_name:
            at = left if self.text() else box.center().x() - 7
            paint.icon(painter, self.look, self.icon_name, paint.centred(box, 14, at), ink)
        paint.words(painter, QRectF(left + sign, box.top(), width + 1, box.height()), self.text(), font, self.look.colour(ink))
        if cap:
            edge = ink if self.kind == "primary" else "line-strong"
            tone = ink if self.kind == "primary" else "text-secondary"
            paint.keycap(painter, self.look, left + sign + width + cap, box.center().y(), self.key, tone, edge)
        if self.hasFocus():
            paint.focus_ring(painter, self.look, QRectF(self.rect()))

    def _ground(self, painter: QPainter, box: QRectF) -> str:
        """Paint the ground, return the ink's name."""
        over = self.underMouse() and self.isEnabled()
        if self.kind == "link":
            return "accent"
        if not self.isEnabled():
            ink, edge, ground = "text-disabled", "line-strong", ""
        elif self.kind == "primary":
            ink, edge, ground = "on-accent", "accent", "accent"
        elif self.kind == "accent":
            ink, edge, ground = "accent", "accent", "accent-tint" if over else ""
        elif self.kind == "danger":
            ink, edge, ground = "critical", "critical", "critical-tint" if over else ""
        elif self.kind == "ghost":
            ink, edge, ground = "text-secondary", "", "raised" if over else ""
        else:
            ink, edge, ground = "text-primary", "line-control", "raised" if over else ""
        if self.isDown():
            ground = ground or "raised"
        painter.setPen(QPen(self.look.colour(edge), 1) if edge else Qt.PenStyle.NoPen)
        painter.setBrush(self.look.brush(ground) if ground else Qt.BrushStyle.NoBrush)
        radius = 8 if self.look.phone else 5
        painter.drawRoundedRect(box, radius, radius)
        return ink


class Check(QAbstractButton):
    """A check box with its words."""

    def __init__(self, host: Host, text: str, toggled: Callable[[bool], object]) -> None:
        super().__init__()
        self.host, self.look = host, host.look
        self.setCheckable(True)
        self.setText(text)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(lambda on: toggled(bool(on)))

    def sizeHint(self) -> QSize:
        return QSize(round(paint.width_of(self.look.font("body"), self.text())) + 28, 44 if self.look.phone else 24)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        box = QRectF(self.rect())
        check_box(painter, self.host, paint.centred(box, 14, 1.0), self.isChecked())
        paint.words(painter, box.adjusted(23, 0, 0, 0), self.text(), self.look.font("body"), self.look.colour("text-primary"))
        if self.hasFocus():
            paint.focus_ring(painter, self.look, box.adjusted(-1, 1, 1, -1), 4)


def check_box(painter: QPainter, host: Host, box: QRectF, on: bool) -> None:
    look = host.look
    painter.setPen(QPen(look.colour("accent" if on else "line-control"), 1.4))
    painter.setBrush(look.brush("accent") if on else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box.adjusted(0.7, 0.7, -0.7, -0.7), 3, 3)
    if on:
        paint.icon(painter, look, "check", box.adjusted(1.5, 1.5, -1.5, -1.5), "on-accent")


class Segments(Painted):
    """A row of choices of which one is taken, as tabs or ranges; arrows walk it, a click takes one."""

    def __init__(self, host: Host, name: str, chosen: Callable[[str], object], boxed: bool = False) -> None:
        super().__init__(host)
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._name, self._chosen, self._boxed = name, chosen, boxed
        self._choices: tuple[tuple[str, str], ...] = ()
        self._taken = ""
        self.wraps = False
        self.room = 0
        """Pixels there are at most; where they do not suffice, counts of what is not taken are left out."""
        self._counts = True
        self._boxes: list[QRectF] = []

    def show_choices(self, choices: Sequence[tuple[str, str]], taken: str) -> None:
        """Choices as (word, count or ""), and the word that is taken."""
        if (tuple(choices), taken) == (self._choices, self._taken) and self._boxes:
            return
        self._choices, self._taken = tuple(choices), taken
        self.setAccessibleDescription(f"{taken} of {', '.join(f'{word} {count}'.strip() for word, count in choices)}")
        self._place()
        self.update()

    def restyle(self) -> None:
        self._boxes = []
        self._place()

    def _place(self) -> None:
        font = self.look.font(self._size(), MEDIUM)
        height = 36 if self.look.phone else 24
        if self.wraps:
            self._wrap(font, height)
            return
        left = self._line(font, height, True)
        self._counts = not self.room or left <= self.room or self.look.phone
        if not self._counts:
            left = self._line(font, height, False)
        if self._boxed and self.look.phone and self._choices and self.width() > left:
            each = (self.width() - 6) / len(self._choices)
            self._boxes = [QRectF(3 + i * each, 4, each - 2, height - 4) for i in range(len(self._choices))]
        tall = height + 4 if self._boxed and self.look.phone else height
        self.want(0 if self._boxed and self.look.phone else round(left), tall)
        self.setMinimumWidth(0 if self._boxed and self.look.phone else round(left))

    def _size(self) -> int:
        return 11 if not self.look.phone else 12 if self._boxed else 13

    def _wrap(self, font: QFont, height: float) -> None:
        """Over as many lines as the width needs."""
        left, top = 0.0, 0.0
        self._boxes = []
        for word, _ in self._choices:
            width = paint.width_of(font, word) + 14
            if left and left + width > max(120, self.width()):
                left, top = 0.0, top + height
            self._boxes.append(QRectF(left, top + 2, width, height - 4))
            left += width + 1
        self.want(0, round(top + height))
        self.setFixedHeight(round(top + height))

    def _line(self, font: QFont, height: float, counts: bool) -> float:
        """Lays the choices side by side; returns the width they take."""
        left, pad = 3.0 if self._boxed else 0.0, 11.0 if self._boxed else 14.0
        self._boxes = []
        for word, count in self._choices:
            words = f"{word} {count}".strip() if counts or word == self._taken else word
            width = paint.width_of(font, words) + pad
            self._boxes.append(QRectF(left, 2, width, height - 4))
            left += width + 1
        return left

    def resizeEvent(self, event: object) -> None:
        if self.wraps or (self._boxed and self.look.phone):
            self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        if self._boxed and self.look.phone:
            painter.setPen(self.look.pen("line-subtle"))
            painter.setBrush(self.look.brush("card"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 9, 9)
        size = self._size()
        for (word, count), box in zip(self._choices, self._boxes, strict=True):
            on = word == self._taken
            if on:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self.look.brush("raised"))
                painter.drawRoundedRect(box, 4, 4)
            font = self.look.font(size, MEDIUM if on else REGULAR)
            count = count if on or self._counts else ""
            whole = paint.width_of(font, word) + (paint.width_of(font, f" {count}") if count else 0)
            inner = box.adjusted((box.width() - whole) / 2, 0, 4, 0)
            width = paint.words(painter, inner, word, font, self.look.colour("text-primary" if on else "text-secondary"))
            if count:
                paint.words(painter, inner.adjusted(width, 0, 0, 0), f" {count}", font, self.look.colour("text-secondary"))
        if self.hasFocus():
            paint.focus_ring(painter, self.look, QRectF(self.rect()), 5)

    def choice_at(self, at: QPoint) -> str:
        """The word under a point, "" beside them all."""
        for (word, _), box in zip(self._choices, self._boxes, strict=True):
            if box.adjusted(-1, -2, 1, 2).contains(at):
                return word
        return ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        word = self.choice_at(event.position().toPoint())
        if word:
            self._chosen(word)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        listed = [word for word, _ in self._choices]
        if not step or self._taken not in listed:
            super().keyPressEvent(event)
            return
        self._chosen(listed[max(0, min(len(listed) - 1, listed.index(self._taken) + step))])


def link(host: Host, text: str, pressed: Callable[[], object]) -> Button:
    return Button(host, text, pressed, "link")


def row_of(
    *widgets: QWidget | None, spacing: int = 8, margins: tuple[int, int, int, int] = (0, 0, 0, 0), wide: int = -1
) -> QWidget:
    """Widgets side by side; None is the stretch, `wide` the one that takes what is left."""
    holder = QWidget()
    layout = QHBoxLayout(holder)
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    for number, widget in enumerate(widgets):
        if widget is None:
            layout.addStretch(1)
        else:
            layout.addWidget(widget, 1 if number == wide else 0)
    return holder
