"""A trace as a flame: spans as wide as they took, callers above whom they call. Only what is in sight is painted."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QMouseEvent, QPainter, QPen

from ui.desktop import paint
from ui.desktop.host import Host
from ui.desktop.traceswaterfall import AXIS, TOUCH_ROW, SpanCanvas
from ui.views.tracesflame import frames_of, words_of
from ui.views.tracesview import FlameView, Frames, Joined, TraceView
from ui.views.view import Tick

LEVEL = 22
LARGE = 4.0
"""Pixels from which on a span is painted by itself."""
WORDS, COUNT = 34, 22
"""Pixels from which on a span says what it is, and joined ones how many they are."""
QUARTER = 0.125
"""Joined spans are enlarged to at most twice this share of the width around the pointer."""


class Flame(SpanCanvas):
    """A press enlarges a span or a stretch of joined ones; on a caller above it leads back."""

    def __init__(self, host: Host) -> None:
        super().__init__(host, "Spans of the trace, stacked")
        self._frames: tuple[object, Frames | None] = (None, None)

    @property
    def row(self) -> int:
        return TOUCH_ROW - 6 if self.look.phone else LEVEL

    @property
    def flame(self) -> FlameView | None:
        return self.view.flame if self.view is not None else None

    def axis(self) -> tuple[float, float]:
        return 8.0, max(20.0, self.viewport().width() - 16)

    def ticks(self, view: TraceView) -> tuple[Tick, ...]:
        return view.flame.ticks if view.flame is not None else ()

    def count(self) -> int:
        return self.flame.levels if self.flame is not None else 0

    def line_of_cursor(self) -> int:
        flame, view = self.flame, self.view
        if flame is None or view is None:
            return 0
        found = np.flatnonzero(flame.places == view.place)
        return int(flame.lanes[found[0]]) if len(found) else 0

    def frames(self, view: TraceView, flame: FlameView) -> Frames:
        """What is painted at the width there is."""
        _, width = self.axis()
        if self._frames[0] != (flame, width) or self._frames[1] is None:
            self._frames = ((flame, width), frames_of(flame, view.failed, width, LARGE))
        frames = self._frames[1]
        assert frames is not None
        return frames

    # ------------------------------------------------------------ pointer

    def _under(self, at: QPointF) -> tuple[int, Joined | None]:
        """The span at a point of the viewport (-1 for none), or the joined ones."""
        view, flame = self.view, self.flame
        if view is None or flame is None or at.y() < AXIS:
            return -1, None
        level = int((at.y() - AXIS + self.verticalScrollBar().value()) // self.row)
        left, width = self.axis()
        share, slack = (at.x() - left) / width, 1.0 / width
        frames = self.frames(view, flame)
        wide = frames.wide
        hit = (flame.lanes[wide] == level) & (flame.starts[wide] <= share) & (flame.ends[wide] >= share)
        found = wide[hit]
        if len(found):
            return int(flame.places[found[0]]), None
        for one in frames.joined:
            if one.lane == level and one.start - slack <= share <= max(one.end, one.start + LARGE / width) + slack:
                return (one.place, None) if one.count == 1 else (-1, one)
        return -1, None

    def place_at(self, at: QPointF) -> int:
        return self._under(at)[0]

    def tip(self, view: TraceView, at: QPointF) -> str:
        _, joined = self._under(at)
        if joined is None:
            return super().tip(view, at)
        return f"{words_of(joined)}, too narrow to be drawn one by one. A press enlarges them."

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place, joined = self._under(event.position())
        session, flame = self.host.session, self.flame
        if place >= 0:
            self.host.tell(session.point, "zoom", place)
        elif joined is not None and flame is not None:
            left, width = self.axis()
            share = (event.position().x() - left) / width
            begin, end = max(joined.start, share - QUARTER), min(joined.end, share + QUARTER)
            reach = flame.end - flame.begin
            stretch = (min(1.0, max(0.0, flame.begin + edge * reach)) for edge in (begin, end))
            self.host.tell(session.choose, "traces.stretch", ":".join(f"{edge:.12f}" for edge in stretch))

    # ------------------------------------------------------------ painting

    def paint_rows(self, painter: QPainter, view: TraceView, top: float, first: int, last: int) -> None:
        flame = view.flame
        if flame is None:
            return
        left, width = self.axis()
        frames = self.frames(view, flame)
        for joined in frames.joined:
            if first <= joined.lane < last:
                wide = max(LARGE - 1, (joined.end - joined.start) * width - 1)
                box = QRectF(left + joined.start * width, top + joined.lane * self.row + 1, wide, self.row - 2)
                self._joined(painter, view, joined, box)
        seen = frames.wide[(flame.lanes[frames.wide] >= first) & (flame.lanes[frames.wide] < last)]
        for at in seen.tolist():
            lane = int(flame.lanes[at])
            start, wide = left + flame.starts[at] * width, (flame.ends[at] - flame.starts[at]) * width
            box = QRectF(start, top + lane * self.row + 1, max(2.0, wide - 1), self.row - 2)
            self._span(painter, view, flame, int(flame.places[at]), box, lane < flame.above)
        self._chosen(painter, view, flame, top)

    def _span(self, painter: QPainter, view: TraceView, flame: FlameView, place: int, bar: QRectF, above: bool) -> None:
        look, row = self.look, view.spans[place]
        left, width = self.axis()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour(row.colour, 0.16 if above else 0.42))
        painter.drawRoundedRect(bar, 2, 2)
        for start, end in () if above else row.own:
            begin, stop = flame.within(start, end)
            if stop > begin:
                part = QRectF(left + begin * width, bar.bottom() - 2.5, max(1.5, (stop - begin) * width), 2.5)
                painter.fillRect(part, look.colour("text-primary"))
        if row.failed:
            painter.setPen(QPen(look.colour("critical"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(bar.adjusted(0.75, 0.75, -0.75, -0.75), 2, 2)
        if bar.width() > WORDS:
            inner = bar.adjusted(6, 0, -4, -1)
            if row.failed:
                paint.shape(painter, look, "critical", paint.centred(inner, 12), "card")
                inner.setLeft(inner.left() + 16)
            words = f"{row.service} {row.operation}  {row.duration}"
            paint.words(painter, inner, words, look.font("small"), look.colour("text-secondary" if above else "text-primary"))

    def _joined(self, painter: QPainter, view: TraceView, joined: Joined, box: QRectF) -> None:
        """One of them in its service's colour; several hatched, with how many they are."""
        look = self.look
        if joined.count == 1:
            painter.fillRect(box, look.colour("critical" if joined.failed else view.spans[joined.place].colour, 0.8))
            return
        painter.fillRect(box, look.colour("text-secondary", 0.14))
        painter.fillRect(
            box, QBrush(look.colour("critical" if joined.failed else "text-secondary", 0.5), Qt.BrushStyle.BDiagPattern)
        )
        words, font = f"\u00d7{joined.count:,}", look.font("small")
        need = paint.width_of(font, words) + 8
        if box.width() > max(COUNT, need):
            plate = QRectF(box.center().x() - need / 2, box.top() + 2, need, box.height() - 4)
            painter.fillRect(plate, look.colour("card"))
            paint.words(painter, plate.adjusted(4, 0, 0, 0), words, font, look.colour("text-primary"))

    def _chosen(self, painter: QPainter, view: TraceView, flame: FlameView, top: float) -> None:
        found = np.flatnonzero(flame.places == view.place)
        if not len(found):
            return
        at, (left, width) = int(found[0]), self.axis()
        wide = max(LARGE, (flame.ends[at] - flame.starts[at]) * width)
        box = QRectF(left + flame.starts[at] * width, top + int(flame.lanes[at]) * self.row + 1, wide, self.row - 2)
        painter.setPen(QPen(self.look.colour("accent"), 2.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 3, 3)
