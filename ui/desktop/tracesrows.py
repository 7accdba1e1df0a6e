"""Rows of traces, of log records, and of what one span says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from ui.desktop import paint
from ui.desktop.look import MEDIUM, STRONG, Look
from ui.desktop.rows import RowPainter, State, ground
from ui.views.tracesview import LogRow, TraceRow
from ui.views.view import Shape


class TracePainter(RowPainter):
    """Shape, service and operation, who else took part, spans, errors, the duration with a bar, age; two lines on the phone."""

    def height(self, look: Look, row: TraceRow) -> int:
        return 58 if look.phone else 28

    def say(self, row: TraceRow) -> str:
        failed = f", {row.errors}" if row.errors else ""
        note = f", {row.note}" if row.note else ""
        return f"{row.service} {row.operation}, {row.duration}, {row.spans}{failed}, {row.age}{note}"

    def tip(self, row: TraceRow) -> str:
        others = f" Also {row.services}." if row.services else ""
        return f"{row.service} {row.operation}.{others} Trace {row.trace}.{' ' + row.note if row.note else ''}"

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: TraceRow, state: State) -> None:
        ground(painter, look, box, state)
        inner = box.adjusted(12, 1, -12, 0)
        behind = "raised" if state.cursor else "card"
        if look.phone:
            self._two_lines(painter, look, inner, row, behind)
            return
        if row.shape is not None:
            paint.shape(painter, look, row.shape, paint.centred(inner, 13), behind)
        soft, body = look.colour("text-secondary"), look.font("body")
        right = inner.right()
        age = QRectF(right - 64, inner.top(), 64, inner.height())
        paint.words(painter, age, row.age, body, soft, paint.RIGHT)
        right -= 74
        if inner.width() > 860:
            paint.words(painter, QRectF(right - 90, inner.top(), 90, inner.height()), row.time, body, soft, paint.RIGHT)
            right -= 102
        bar = QRectF(right - 120, inner.center().y() - 4, 120, 8)
        _bar(painter, look, bar, row)
        right -= 132
        paint.value(painter, look, QRectF(right - 64, inner.top(), 64, inner.height()), row.duration, "body", MEDIUM)
        right -= 78
        wide = inner.width() > 640
        if wide:
            errors = QRectF(right - 62, inner.top(), 62, inner.height())
            paint.words(painter, errors, row.errors, look.font("body", STRONG), look.colour("critical"), paint.RIGHT)
            right -= 72
            paint.words(painter, QRectF(right - 62, inner.top(), 62, inner.height()), row.spans, body, soft, paint.RIGHT)
            right -= 78
        left = inner.left() + 22
        left += _named(painter, look, QRectF(left, inner.top(), right - left, inner.height()), row) + 14
        others = row.note or (f"with {row.services}" if row.services else "")
        rest = QRectF(left, inner.top(), right - left, inner.height())
        if rest.width() > 70:
            tone = look.colour("warning") if row.note else soft
            paint.words(painter, rest, others, look.font("small"), tone)

    def _two_lines(self, painter: QPainter, look: Look, box: QRectF, row: TraceRow, behind: str) -> None:
        first = QRectF(box.left(), box.center().y() - 22, box.width(), 22)
        second = first.translated(0, 22)
        if row.shape is not None:
            paint.shape(painter, look, row.shape, paint.centred(first, 15), behind)
        took = paint.value(painter, look, first, row.duration, "body", MEDIUM)
        _named(painter, look, first.adjusted(24, 0, -took - 10, 0), row)
        soft = look.colour("text-secondary")
        said = " · ".join(part for part in (row.age, row.spans, row.errors) if part)
        paint.words(painter, second.adjusted(24, 0, -110, 0), said, look.font("small"), soft)
        _bar(painter, look, QRectF(second.right() - 96, second.center().y() - 4, 96, 8), row)


def _named(painter: QPainter, look: Look, box: QRectF, row: TraceRow) -> float:
    """The service with its colour and the operation; the width taken."""
    painter.fillRect(QRectF(box.left(), box.center().y() - 6, 3, 12), look.colour(row.colour))
    rest = box.adjusted(9, 0, 0, 0)
    used = paint.words(painter, rest, row.service, look.font("body", MEDIUM), look.colour("text-primary"), middle=True)
    rest.setLeft(rest.left() + used + 8)
    more = paint.words(painter, rest, row.operation, look.font("body"), look.colour("text-primary"), middle=True)
    return used + more + 17


def _bar(painter: QPainter, look: Look, box: QRectF, row: TraceRow) -> None:
    """The duration beside the longest that is listed."""
    painter.fillRect(box, look.colour("raised"))
    wide = max(2.0, box.width() * row.share)
    painter.fillRect(QRectF(box.left(), box.top(), wide, box.height()), look.colour(row.colour, 0.75))


class LogPainter(RowPainter):
    """Shape, time, level, service and the body in the type of programs; two lines on the phone."""

    def __init__(self, narrow: bool = False) -> None:
        self.narrow = narrow

    def height(self, look: Look, row: LogRow) -> int:
        return 58 if look.phone else 40 if self.narrow else 24

    def say(self, row: LogRow) -> str:
        return f"{row.level or 'log'}, {row.time}, {row.service}: {row.body}"

    def tip(self, row: LogRow) -> str:
        return row.body

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: LogRow, state: State) -> None:
        ground(painter, look, box, state)
        inner = box.adjusted(12, 1, -12, 0)
        paint_log(painter, look, inner, row, "raised" if state.cursor else "card", self.narrow or look.phone)


def paint_log(painter: QPainter, look: Look, box: QRectF, row: LogRow, behind: str, two: bool) -> None:
    """A record on one line, or on two."""
    soft, small = look.colour("text-secondary"), look.font("small")
    line = QRectF(box.left(), box.center().y() - (19 if two else box.height() / 2), box.width(), 19 if two else box.height())
    if row.shape is not None:
        paint.shape(painter, look, row.shape, paint.centred(line, 12), behind)
    loud = row.shape in ("critical", "warning")
    tone = look.colour(str(row.shape)) if loud else soft
    mono = look.font(13 if look.phone else 11, mono=True)
    if two:
        rest = line.adjusted(20, 0, 0, 0)
        used = paint.words(painter, rest, row.service, look.font("small", MEDIUM), look.colour("text-primary"), middle=True)
        paint.words(painter, rest.adjusted(used + 8, 0, 0, 0), row.level, small, tone)
        paint.words(painter, rest, row.time, small, soft, paint.RIGHT)
        paint.words(painter, line.translated(0, 18).adjusted(20, 0, 0, 0), row.body, mono, look.colour("text-primary"))
        return
    left = line.left() + 20
    for text, room, font, colour in (
        (row.time, 84, small, soft),
        (row.level, 44, look.font("small", MEDIUM), tone),
        (row.service, 104, look.font("small", MEDIUM), look.colour("text-primary")),
    ):
        paint.words(painter, QRectF(left, line.top(), room - 8, line.height()), text, font, colour, middle=True)
        left += room
    paint.words(
        painter, QRectF(left, line.top(), line.right() - left, line.height()), row.body, mono, look.colour("text-primary")
    )


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a detail: a heading, a name with its value, an event, a link or a log record."""

    kind: Literal["head", "pair", "event", "link", "log"]
    name: str = ""
    value: str = ""
    shape: Shape | None = None
    log: LogRow | None = None


class FactPainter(RowPainter):
    """Names at the left, values beside them; events with when they happened."""

    NAME = 0.42

    def height(self, look: Look, row: Fact) -> int:
        if row.kind == "head":
            return 34
        if row.kind == "log":
            return 58 if look.phone else 42
        return 32 if look.phone else 22

    def say(self, row: Fact) -> str:
        if row.log is not None:
            return f"{row.log.level}, {row.log.time}, {row.log.service}: {row.log.body}"
        return f"{row.name} {row.value}".strip()

    def tip(self, row: Fact) -> str:
        return row.log.body if row.log is not None else row.value if row.kind != "head" else ""

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: Fact, state: State) -> None:
        inner = box.adjusted(14, 0, -12, 0)
        soft = look.colour("text-secondary")
        if state.hover and row.kind != "head":
            painter.fillRect(box, look.colour("raised", 0.5))
        if row.kind == "head":
            painter.fillRect(QRectF(box.left(), box.top() + 4, box.width(), 1), look.colour("line-subtle"))
            line = inner.adjusted(0, 8, 0, 0)
            used = paint.words(painter, line, row.name, look.font("body", STRONG), look.colour("text-primary"))
            paint.words(painter, line.adjusted(used + 8, 0, 0, 0), row.value, look.font("small"), soft)
        elif row.log is not None:
            paint_log(painter, look, inner, row.log, "card", True)
        elif row.kind == "link":
            paint.icon(painter, look, "link", paint.centred(inner, 12), "accent")
            paint.words(painter, inner.adjusted(20, 0, 0, 0), row.name, look.font("small"), look.colour("accent"), middle=True)
        else:
            part = inner.width() * self.NAME if row.kind == "pair" else 66.0
            name = QRectF(inner.left(), inner.top(), part - 8, inner.height())
            paint.words(painter, name, row.name, look.font("small"), soft, middle=True)
            mono = look.font(13 if look.phone else 11, mono=row.kind == "pair")
            rest = inner.adjusted(part, 0, 0, 0)
            paint.words(painter, rest, row.value, mono, look.colour("text-primary"), middle=True)
