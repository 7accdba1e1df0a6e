"""Labels for outside text: shown literally, shortened at a word, whole in the tooltip and for screen readers."""

from __future__ import annotations

import html

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QSizePolicy

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.look import MEDIUM, REGULAR, Role
from ui.views.view import Sentence, Text


def literal_tip(text: str) -> str:
    """A tooltip that Qt will never take for rich text: escaped and wrapped, because Qt guesses from the looks of a text."""
    return f"<qt>{html.escape(text)}</qt>" if text else ""


class Label(Painted):
    """One line of words in one font and colour."""

    def __init__(
        self, host: Host, text: str = "", role: Role | int = "body", weight: int = REGULAR, colour: str = "text-primary"
    ) -> None:
        super().__init__(host)
        self.role, self.weight, self.colour = role, weight, colour
        self.align = paint.LEFT
        self.mono = False
        self.middle = False
        self.shape = ""
        self.stretch = False
        self.text = ""
        self.say(text)

    def say(self, text: str, colour: str = "") -> None:
        if text == self.text and colour in ("", self.colour):
            return
        self.text, self.colour = text, colour or self.colour
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = self.look.metrics(self.role, self.weight, self.mono)
        return QSize(round(metrics.horizontalAdvance(self.text)) + 2 + (18 if self.shape else 0), round(metrics.height()) + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(12, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        box = QRectF(self.rect())
        if self.shape:
            paint.shape(painter, self.look, self.shape, paint.centred(box, 13))  # type: ignore[arg-type]
            box.setLeft(box.left() + 18)
        font = self.look.font(self.role, self.weight, self.mono)
        width = paint.words(painter, box, self.text, font, self.look.colour(self.colour), self.align, self.middle)
        cut = width >= box.width() - 0.5 and paint.width_of(font, self.text) > box.width()
        self.setToolTip(literal_tip(self.text) if cut else "")


class SentenceLabel(Painted):
    """A sentence whose finding stands out. One line cut at a word, or wrapped over as many lines as it needs."""

    def __init__(self, host: Host, role: Role | int = "small", wrap: bool = False, soft: str = "text-secondary") -> None:
        super().__init__(host)
        self.role, self.wrap, self.soft = role, wrap, soft
        self.sentence: Sentence = ()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred if wrap else QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(wrap)
        self.setSizePolicy(policy)

    def say(self, sentence: Sentence | str) -> None:
        runs: Sentence = (
            (Text(sentence),) if isinstance(sentence, str) and sentence else () if isinstance(sentence, str) else sentence
        )
        if runs == self.sentence:
            return
        self.sentence = runs
        self.setAccessibleName(paint.plain(runs))
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        return self.wrap

    def heightForWidth(self, width: int) -> int:
        return round(self._laid(width)[1]) + 1

    def sizeHint(self) -> QSize:
        if self.wrap:
            return QSize(200, self.heightForWidth(max(120, self.width())))
        return QSize(120, round(self.look.metrics(self.role).height()) + 1)

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self.heightForWidth(max(120, self.width())) if self.wrap else self.sizeHint().height())

    def _laid(self, width: int) -> tuple[QTextLayout, float]:
        """Text laid out with one format a run: plain text throughout, whatever it contains."""
        layout = QTextLayout(paint.plain(self.sentence), self.look.font(self.role))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.setFormats(self._formats())
        layout.beginLayout()
        top = 0.0
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, top))
            top += line.height() + 1
        layout.endLayout()
        return layout, top

    def _formats(self) -> list[QTextLayout.FormatRange]:
        formats, start = [], 0
        for run in self.sentence:
            span = QTextLayout.FormatRange()
            span.start, span.length = start, len(run.text.encode("utf-16-le")) // 2
            look = QTextCharFormat()
            look.setFont(QFont(self.look.font(self.role, MEDIUM if run.strong else REGULAR)))
            look.setForeground(self.look.colour("text-primary" if run.strong else self.soft))
            span.format = look
            start += span.length
            formats.append(span)
        return formats

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        if self.wrap:
            self._laid(self.width())[0].draw(painter, QPointF(0, 0))
            return
        cut = paint.sentence(painter, self.look, QRectF(self.rect()), self.sentence, self.role, self.soft)
        self.setToolTip(literal_tip(paint.plain(self.sentence)) if cut else "")


def heading(host: Host, text: str, role: Role | int = "body") -> Label:
    from ui.desktop.look import STRONG

    label = Label(host, text, role, STRONG)
    label.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    return label


def muted(host: Host, text: str = "", role: Role | int = "small") -> Label:
    return Label(host, text, role, REGULAR, "text-secondary")


def right_aligned(label: Label) -> Label:
    label.align = paint.RIGHT
    return label
