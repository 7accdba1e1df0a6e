"""The chart card: title, legend, last value and sentence over a plot; its sentence is what a screen reader hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.desktop import paint
from ui.desktop.host import Host, Painted
from ui.desktop.labels import literal_tip
from ui.desktop.look import STRONG
from ui.desktop.panel import Card
from ui.views.view import ChartView

if TYPE_CHECKING:
    from ui.desktop.plot import Crossing, Plot

LEGEND_MOST = 4


class ChartHead(Painted):
    """Two lines of words above a plot, painted in one go."""

    def __init__(self, host: Host, with_title: bool = True) -> None:
        super().__init__(host)
        self.view: ChartView | None = None
        self.with_title = with_title

    def show_chart(self, view: ChartView) -> None:
        self.view = view
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 46 if self.look.phone else 40)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        view = self.view
        if view is None:
            return
        painter = QPainter(self)
        paint.crisp(painter)
        top = QRectF(11, 5, self.width() - 22, 19)
        used = self._last(painter, top, view)
        title_font = self.look.font(14 if self.look.phone else 12, STRONG)
        room = top.adjusted(0, 0, -used - 10, 0)
        width = paint.words(painter, room, view.title, title_font, self.look.colour("text-primary"), middle=True)
        self._legend(painter, room.adjusted(width + 14, 0, 0, 0), view)
        line = QRectF(11, 24, self.width() - 22, 16)
        cut = paint.sentence(painter, self.look, line, view.sentence)
        whole = paint.plain(view.sentence)
        tip = "\n".join(part for part in (view.title, whole, view.note) if part)
        self.setToolTip(literal_tip(tip).replace("\n", "<br>") if cut or view.note else "")

    def _last(self, painter: QPainter, box: QRectF, view: ChartView) -> float:
        role = 14 if self.look.phone else 13
        width = paint.value(painter, self.look, box, view.last, role, STRONG, paint.RIGHT, unit_role=role)
        if view.last.shape is None or view.last.shape == "ok":
            return width
        paint.shape(painter, self.look, view.last.shape, paint.centred(box, 13, box.right() - width - 18))
        return width + 18

    def _legend(self, painter: QPainter, box: QRectF, view: ChartView) -> None:
        """Names that fit, whole: a legend cut to letters tells nothing."""
        if len(view.lines) < 2:
            return
        font = self.look.font(11 if not self.look.phone else 12)
        left = box.left()
        shown = view.lines if len(view.lines) <= LEGEND_MOST else ()
        for line in shown:
            width = 14 + paint.width_of(font, line.name)
            if left + width > box.right():
                break
            painter.fillRect(QRect(round(left), round(box.center().y()) - 1, 10, 2), self.look.colour(line.colour))
            paint.words(
                painter, QRectF(left + 14, box.top(), width, box.height()), line.name, font, self.look.colour("text-secondary")
            )
            left += width + 10
        more = f"{len(view.lines)} lines" if len(view.lines) > LEGEND_MOST or view.others_count else ""
        if view.others_count:
            more += f" and {view.others_count} other{'s' if view.others_count > 1 else ''}"
        if more and not shown:
            paint.words(
                painter,
                QRectF(left, box.top(), box.right() - left, 19),
                more,
                font,
                self.look.colour("text-secondary"),
            )


class ChartCard(Card):
    """A card with one chart. The plot, and pyqtgraph with it, is made when the first picture with lines comes."""

    def __init__(self, host: Host, crossing: Crossing | None = None, framed: bool = True) -> None:
        super().__init__(host)
        if not framed:
            self.setObjectName("bare")
        self.head = ChartHead(host)
        self.add(self.head)
        self.crossing = crossing
        self.plot: Plot | None = None
        self.view: ChartView | None = None
        self._empty: Painted | None = None

    def show_chart(self, view: ChartView) -> None:
        """Paint a picture; nothing happens when it is the one already shown."""
        if view is self.view:
            return
        self.view = view
        words = paint.plain(view.sentence)
        self.setAccessibleName(f"{view.title}: {words}")
        lowest, highest = (view.y_ticks[0].label, view.y_ticks[-1].label) if view.y_ticks else ("", "")
        self.setAccessibleDescription(f"Last {view.last}; axis from {lowest} to {highest}. {view.note}{_told(view)}".strip())
        self.head.show_chart(view)
        drawn = bool(view.lines) and not view.empty
        if drawn and self.plot is None:
            self._make_plot()
        if self.plot is not None:
            if drawn:
                self.plot.show_chart(view)
            self.plot.setVisible(drawn)
        if not drawn and self._empty is None:
            self._empty = Nothing(self.host)
            self.column.addWidget(self._empty, 1)
        if self._empty is not None:
            self._empty.setVisible(not drawn)
            if isinstance(self._empty, Nothing):
                self._empty.say(view.empty or "No data in this range.")

    def _make_plot(self) -> None:
        from ui.desktop.plot import Crossing, Plot

        if self.crossing is None:
            self.crossing = crossing_of(self.host, Crossing)
        session = self.host.session
        self.plot = Plot(
            self.host.look,
            self.crossing,
            lambda start, end: self.host.tell(session.zoom, start, end),
            lambda at: self.host.hover(at),
        )
        self.plot.follow = lambda key: self.host.tell(session.choose, "exemplar", key)
        self.plot.setAccessibleName(self.accessibleName())
        self.column.addWidget(self.plot, 1)
        self.column.setContentsMargins(1, 1, 1, 3)

    def restyle(self) -> None:
        self.head.update()
        if self.plot is not None:
            self.plot.restyle()


def _told(view: ChartView) -> str:
    """How many exemplars there are, and the one chosen."""
    if not view.exemplars:
        return ""
    chosen = next((mark.words for mark in view.exemplars if mark.chosen), "")
    return f" {len(view.exemplars)} exemplars{f', chosen: {chosen}' if chosen else ''}."


def crossing_of(host: Host, made: type[Crossing]) -> Crossing:
    """The window's one crosshair, made with the first plot."""
    if host.crossing is None:
        host.crossing = made(host.clock)
    crossing: Crossing = host.crossing
    return crossing


class Nothing(Painted):
    """Words where a plot would be."""

    def __init__(self, host: Host, parent: QWidget | None = None) -> None:
        super().__init__(host, parent)
        self.text = ""

    def say(self, text: str) -> None:
        self.text = text
        self.setAccessibleName(text)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 80)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint.crisp(painter)
        painter.setFont(self.look.font("body"))
        painter.setPen(self.look.colour("text-secondary"))
        flags = int(Qt.AlignmentFlag.AlignCenter.value) | Qt.TextFlag.TextWordWrap.value
        painter.drawText(QRectF(self.rect()).adjusted(16, 0, -16, 0), flags, self.text)
