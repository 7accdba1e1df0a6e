"""Painters of the rows of lists: alerts, events, rules, series, silences, reasons, commands."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from ui.desktop import paint
from ui.desktop.look import MEDIUM, REGULAR, STRONG, Look
from ui.desktop.rows import RowPainter, State, ground
from ui.views.theme import GLYPHS
from ui.views.view import AlertRow, EventRow, PaletteRow, ProcessRow, RuleRow, SeriesRow, Shape, SilenceRow, WhyRow

EVENT_ICONS = {
    "deploy": "deploy",
    "acknowledged": "person",
    "released": "person",
    "note": "note",
    "silenced": "alerts",
    "unsilenced": "alerts",
    "firing": "alerts",
    "pending": "alerts",
    "resolved": "check",
    "rule_saved": "rules",
    "rules_reloaded": "rules",
    "rules_refused": "rules",
    "notified": "link",
    "started": "play",
}


class AlertPainter(RowPainter):
    """Two lines: shape, name, age; where, who has it, the last 24 hours. A check box where rows can be marked."""

    def __init__(self, marks: bool = False, strip_width: int = 112, with_value: bool = False) -> None:
        self.marks, self.strip_width, self.with_value = marks, strip_width, with_value

    def height(self, look: Look, row: AlertRow) -> int:
        return 58 if look.phone else 47

    def say(self, row: AlertRow) -> str:
        state = "" if row.state.lower() in GLYPHS[row.shape].word.lower() else f", {row.state}"
        who = f", {row.acked_by} has it" if row.acked_by else ""
        mark = ", marked" if row.marked else ""
        return f"{GLYPHS[row.severity].word}{state}: {row.name}, {row.where}, {row.value}, {row.age}{who}{mark}"

    def tip(self, row: AlertRow) -> str:
        return ". ".join(part for part in (f"{row.name}, {row.where}", row.limit, row.detail) if part)

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: AlertRow, state: State) -> None:
        ground(painter, look, box, state)
        if row.marked and not state.cursor:
            painter.fillRect(box.adjusted(0, 1, 0, 0), look.colour("accent-tint"))
        left = box.left() + 12
        middle = box.center().y()
        first = QRectF(left, middle - (20 if look.phone else 18), box.right() - 12 - left, 20)
        second = first.translated(0, 21 if look.phone else 17)
        if self.marks:
            self._mark(painter, look, QRectF(left, first.top(), 14, first.height()), row.marked)
            first.setLeft(first.left() + 23)
            second.setLeft(second.left() + 23)
        behind = "raised" if state.cursor else "card"
        paint.shape(painter, look, row.shape, paint.centred(first, 15 if look.phone else 14), behind)
        first.setLeft(first.left() + 23)
        second.setLeft(second.left() + 23)
        age = paint.words(painter, first, row.age, look.font("small"), look.colour("text-secondary"), paint.RIGHT)
        name = first.adjusted(0, 0, -age - 8, 0)
        paint.words(painter, name, row.name, look.font("body", MEDIUM), look.colour("text-primary"), middle=True)
        self._below(painter, look, second, row)

    def _mark(self, painter: QPainter, look: Look, box: QRectF, on: bool) -> None:
        square = paint.centred(box, 14)
        painter.setPen(QPen(look.colour("accent" if on else "line-control"), 1.4))
        painter.setBrush(look.brush("accent") if on else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(square.adjusted(0.7, 0.7, -0.7, -0.7), 3, 3)
        if on:
            paint.icon(painter, look, "check", square.adjusted(1.5, 1.5, -1.5, -1.5), "on-accent")

    def _below(self, painter: QPainter, look: Look, box: QRectF, row: AlertRow) -> None:
        wide = min(self.strip_width, box.width() * 0.42)
        if row.strip:
            paint.strip(painter, look, QRectF(box.right() - wide, box.center().y() - 6, wide, 12), row.strip)
        inner = box.adjusted(0, 0, -wide - 8, 0)
        who = paint.width_of(look.font("small"), row.acked_by) + 18 if row.acked_by else 0
        who = min(who, inner.width() * 0.5)
        where = f"{row.where}, {row.value}" if self.with_value and row.value.number else row.where
        place = inner.adjusted(0, 0, -who, 0)
        used = paint.words(painter, place, where, look.font("small"), look.colour("text-secondary"), middle=True)
        if row.acked_by:
            sign: Shape = "silenced" if row.shape == "silenced" else "acked"
            left = inner.left() + used + 8
            paint.shape(painter, look, sign, paint.centred(inner, 11, left), colour="text-secondary")
            name = QRectF(left + 15, inner.top(), inner.right() - left - 15, inner.height())
            paint.words(painter, name, row.acked_by, look.font("small"), look.colour("text-secondary"))


class EventPainter(RowPainter):
    """Time, kind, what happened."""

    def say(self, row: EventRow) -> str:
        return f"{row.time}, {paint.plain(row.text)}"

    def tip(self, row: EventRow) -> str:
        return paint.plain(row.text)

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: EventRow, state: State) -> None:
        ground(painter, look, box, state)
        inner = box.adjusted(12, 1, -10, 0)
        time = max(34.0, paint.width_of(look.font("small"), row.time))
        paint.words(painter, inner, row.time, look.font("small"), look.colour("text-secondary"))
        paint.icon(painter, look, EVENT_ICONS.get(row.kind, "dot"), paint.centred(inner, 13, inner.left() + time + 9))
        paint.sentence(painter, look, inner.adjusted(time + 30, 0, 0, 0), row.text, "small", "text-primary")


class RulePainter(RowPainter):
    """Shape, name, whether it is on, how many fire."""

    def height(self, look: Look, row: RuleRow) -> int:
        return 48 if look.phone else 29

    def say(self, row: RuleRow) -> str:
        parts = [row.name, "changed, not saved" if row.changed else "", "" if row.enabled else "off"]
        parts.append(f"{row.firing} firing" if row.firing else GLYPHS[row.shape].word)
        return ", ".join(part for part in parts if part)

    def tip(self, row: RuleRow) -> str:
        return f"{row.name}: {row.summary}" if row.summary else row.name

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: RuleRow, state: State) -> None:
        ground(painter, look, box, state)
        inner = box.adjusted(12, 0, -12, 0)
        shape = row.shape if row.enabled else "silenced"
        paint.shape(painter, look, shape, paint.centred(inner, 13), "raised" if state.cursor else "card")
        right = f"{row.firing}" if row.firing else "" if row.enabled else "off"
        used = paint.words(painter, inner, right, look.font("small"), look.colour("text-secondary"), paint.RIGHT)
        name = inner.adjusted(24, 0, -used - (16 if row.changed else 8), 0)
        ink = look.colour("text-primary" if row.enabled else "text-secondary")
        width = paint.words(painter, name, row.name, look.font("body", MEDIUM if state.cursor else REGULAR), ink, middle=True)
        if row.changed:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.brush("series-1"))
            painter.drawEllipse(QRectF(name.left() + width + 6, inner.center().y() - 2.5, 5, 5))


class SeriesPainter(RowPainter):
    """A series as a card row: name with tags below, its value at the right; a swatch when it is on the chart."""

    def __init__(self, spark: bool = True) -> None:
        self.spark = spark

    def height(self, look: Look, row: SeriesRow) -> int:
        return 54 if look.phone else 42

    def say(self, row: SeriesRow) -> str:
        picked = ", on the chart" if row.picked else ""
        return f"{row.name}{', ' + row.tags if row.tags else ''}, {row.kind}, {row.value}{picked}"

    def tip(self, row: SeriesRow) -> str:
        return f"{row.name} {{{row.tags}}}" if row.tags else row.name

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: SeriesRow, state: State) -> None:
        ground(painter, look, box, state)
        inner = box.adjusted(12, 0, -12, 0)
        swatch = QRectF(inner.left(), inner.center().y() - 5, 10, 10)
        painter.setPen(QPen(look.colour(row.picked or "line-control"), 1.4))
        painter.setBrush(look.brush(row.picked) if row.picked else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(swatch, 2, 2)
        role = 14 if look.phone else 12
        used = paint.value(painter, look, inner, row.value, role, STRONG, paint.RIGHT)
        right = used + 10
        if self.spark and inner.width() > 240:
            paint.spark(
                painter, look, QRectF(inner.right() - right - 48, inner.center().y() - 9, 44, 18), row.spark, spark_colour(row)
            )
            right += 56
        names = inner.adjusted(20, 0, -right, 0)
        upper, lower = names.adjusted(0, 4, 0, -names.height() / 2), names.adjusted(0, names.height() / 2, 0, -4)
        below = row.tags or row.kind
        paint.words(painter, upper, row.name, look.font("body", MEDIUM), look.colour("text-primary"), middle=True)
        paint.words(painter, lower, below, look.font("small"), look.colour("text-secondary"))


def spark_colour(row: SeriesRow) -> str:
    if row.picked:
        return row.picked
    return "text-secondary" if row.shape in ("ok", "silenced", "info") else row.shape


class ProcessPainter(RowPainter):
    """Name, process number, processor, memory."""

    def height(self, look: Look, row: ProcessRow) -> int:
        return 44 if look.phone else 24

    def say(self, row: ProcessRow) -> str:
        return f"{row.name}, process {row.pid}, {row.cpu} of a core, {row.memory}"

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: ProcessRow, state: State) -> None:
        ground(painter, look, box, state)
        inner = box.adjusted(12, 1, -12, 0)
        paint.value(painter, look, inner, row.memory, "small")
        paint.value(painter, look, inner.adjusted(0, 0, -76, 0), row.cpu, "small", MEDIUM)
        pid = paint.width_of(look.font("small"), row.pid)
        paint.words(
            painter, inner.adjusted(0, 0, -142, 0), row.pid, look.font("small"), look.colour("text-secondary"), paint.RIGHT
        )
        paint.words(
            painter,
            inner.adjusted(0, 0, -150 - pid, 0),
            row.name,
            look.font("small", MEDIUM),
            look.colour("text-primary"),
            middle=True,
        )


class WhyPainter(RowPainter):
    """A step from rule to notification."""

    def height(self, look: Look, row: WhyRow) -> int:
        return (44 if look.phone else 37) if row.detail else (30 if look.phone else 24)

    def say(self, row: WhyRow) -> str:
        return f"{GLYPHS[row.shape].word}: {row.title}. {row.detail}"

    def tip(self, row: WhyRow) -> str:
        return f"{row.title}. {row.detail}"

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: WhyRow, state: State) -> None:
        inner = box.adjusted(12, 2, -10, -2)
        upper = QRectF(inner.left() + 22, inner.top(), inner.width() - 22, inner.height() / (2 if row.detail else 1))
        paint.shape(painter, look, row.shape, QRectF(inner.left(), upper.center().y() - 6.5, 13, 13))
        paint.words(painter, upper, row.title, look.font("body", MEDIUM), look.colour("text-primary"))
        lower = upper.translated(0, inner.height() / 2)
        paint.words(painter, lower, row.detail, look.font("small"), look.colour("text-secondary"))


class SilencePainter(RowPainter):
    """What a silence matches, until when, by whom, why."""

    def height(self, look: Look, row: SilenceRow) -> int:
        return 60 if look.phone else 47

    def say(self, row: SilenceRow) -> str:
        return f"Silence, {row.state}: {row.matchers}, {row.until}, {row.by}: {row.comment}. {row.matches}"

    def tip(self, row: SilenceRow) -> str:
        return f"{row.matchers} ({row.matches}). {row.by}: {row.comment}"

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: SilenceRow, state: State) -> None:
        ground(painter, look, box, state)
        inner = box.adjusted(12, 0, -12, 0)
        upper = QRectF(inner.left() + 23, inner.center().y() - 18, inner.width() - 23, 20)
        paint.shape(painter, look, "silenced", paint.centred(upper, 14, inner.left()))
        used = paint.words(painter, upper, row.until, look.font("small"), look.colour("text-secondary"), paint.RIGHT)
        matchers = upper.adjusted(0, 0, -used - 8, 0)
        paint.words(painter, matchers, row.matchers, look.font(11, REGULAR, mono=True), look.colour("text-primary"), middle=True)
        below = f"{row.matches} · {row.by}: {row.comment}"
        paint.words(painter, upper.translated(0, 17), below, look.font("small"), look.colour("text-secondary"))


class PaletteItem(RowPainter):
    """A command, a series or an alert: what it is, where, and its key."""

    def height(self, look: Look, row: PaletteRow) -> int:
        return 46 if look.phone else 32

    def say(self, row: PaletteRow) -> str:
        return ", ".join(part for part in (row.title, row.detail, row.key, "" if row.enabled else "off") if part)

    def tip(self, row: PaletteRow) -> str:
        return row.detail

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: PaletteRow, state: State) -> None:
        if state.cursor:
            painter.fillRect(box, look.colour("accent-tint"))
        elif state.hover:
            painter.fillRect(box, look.colour("line-subtle"))
        inner = box.adjusted(14, 0, -14, 0)
        sign = paint.centred(inner, 14)
        if row.shape is not None:
            paint.shape(painter, look, row.shape, sign, "raised")
        else:
            paint.icon(painter, look, _palette_icon(row), sign)
        right = 0.0
        if row.key:
            right = paint.keycap(painter, look, inner.right(), inner.center().y(), row.key) + 12
        ink = look.colour("text-primary" if row.enabled else "text-secondary")
        title = inner.adjusted(26, 0, -right, 0)
        width = paint.words(
            painter, title.adjusted(0, 0, -title.width() * 0.3, 0), row.title, look.font("body", MEDIUM), ink, middle=True
        )
        detail = title.adjusted(width + 16, 0, 0, 0)
        paint.words(painter, detail, row.detail, look.font("small"), look.colour("text-secondary"), paint.RIGHT)


def _palette_icon(row: PaletteRow) -> str:
    kind = row.target.partition(":")[0]
    return {"series": "explore", "metric": "explore", "alert": "alerts", "rule": "rules", "page": "overview", "time": "back"}.get(
        kind, "keyboard"
    )
