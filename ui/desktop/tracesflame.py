"""A trace as a flame: spans as wide as they took, callers above whom they call. Only what is in sight is painted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from ui.desktop import paint
from ui.desktop.host import Host
from ui.desktop.traceswaterfall import AXIS, TOUCH_ROW, SpanCanvas
from ui.views.tracesview import TraceView

LEVEL = 22
LARGE = 3.0
"""Pixels from which on a span is painted by itself."""


class Flame(SpanCanvas):
    """Spans as wide as they took, callers above whom they call."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Spans of the trace, stacked")

    @property
    def row(self) -> int:
        return TOUCH_ROW - 6 if self.look.phone else LEVEL

    def axis(self) -> tuple[float, float]:
        return 8.0, max(20.0, self.viewport().width() - 16)

    def count(self) -> int:
        return self.view.levels if self.view is not None else 0

    def line_of_cursor(self) -> int:
        return int(self.view.lanes[self.view.place]) if self.view is not None else 0

    def place_at(self, at: QPointF) -> int:
        view = self.view
        if view is None or at.y() < AXIS:
            return -1
        level = int((at.y() - AXIS + self.verticalScrollBar().value()) // self.row)
        left, width = self.axis()
        share, slack = (at.x() - left) / width, 2.0 / width
        found = np.flatnonzero((view.lanes == level) & (view.starts - slack <= share) & (view.ends + slack >= share))
        return int(found[np.argmin(view.ends[found] - view.starts[found])]) if len(found) else -1

    def paint_rows(self, painter: QPainter, view: TraceView, top: float, first: int, last: int) -> None:
        look = self.look
        left, width = self.axis()
        lanes = view.lanes
        shown = np.flatnonzero((lanes >= first) & (lanes < last))
        wide = (view.ends[shown] - view.starts[shown]) * width
        large = shown[wide >= LARGE]
        self._small(painter, view, shown[wide < LARGE], top)
        for place in large.tolist():
            row = view.spans[place]
            bar = QRectF(
                left + row.start * width,
                top + int(lanes[place]) * self.row + 1,
                max(2.0, (row.end - row.start) * width - 1),
                self.row - 2,
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(look.colour(row.colour, 0.42))
            painter.drawRoundedRect(bar, 2, 2)
            for start, end in row.own:
                part = QRectF(left + start * width, bar.bottom() - 2.5, max(1.5, (end - start) * width), 2.5)
                painter.fillRect(part, look.colour("text-primary"))
            if row.failed:
                painter.setPen(QPen(look.colour("critical"), 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(bar.adjusted(0.75, 0.75, -0.75, -0.75), 2, 2)
            if bar.width() > 34:
                inner = bar.adjusted(6, 0, -4, -1)
                if row.failed:
                    paint.shape(painter, look, "critical", paint.centred(inner, 12), "card")
                    inner.setLeft(inner.left() + 16)
                words = f"{row.service} {row.operation}  {row.duration}"
                paint.words(painter, inner, words, look.font("small"), look.colour("text-primary"))
        self._chosen(painter, view, top)

    def _small(self, painter: QPainter, view: TraceView, places: npt.NDArray[np.intp], top: float) -> None:
        """Spans too narrow for words: one rectangle a pixel and level, whatever falls on it."""
        left, width = self.axis()
        lanes = view.lanes
        columns = (view.starts[places] * width).astype(np.int64)
        cells, which = np.unique(lanes[places] * (1 << 32) + columns, return_index=True)
        for cell, place in zip(cells.tolist(), places[which].tolist(), strict=True):
            box = QRectF(left + (cell & 0xFFFFFFFF), top + (cell >> 32) * self.row + 1, 2, self.row - 2)
            row = view.spans[place]
            painter.fillRect(box, self.look.colour("critical" if row.failed else row.colour, 0.8))

    def _chosen(self, painter: QPainter, view: TraceView, top: float) -> None:
        row = view.spans[view.place]
        left, width = self.axis()
        level = int(view.lanes[view.place])
        wide = max(4.0, (row.end - row.start) * width)
        box = QRectF(left + row.start * width, top + level * self.row, wide, self.row)
        painter.setPen(QPen(self.look.colour("accent"), 2.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 3, 3)
