"""Rows beside the map: nodes as a table and as a list, links, operations."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from ui.desktop import paint
from ui.desktop.look import MEDIUM, REGULAR, Look
from ui.desktop.rows import RowPainter, State, ground
from ui.desktop.tables import Column
from ui.desktop.topologymap import say_node
from ui.views.topologyview import ErrorRow, LinkRow, NodeRow, OperationRow
from ui.views.view import Value


def node_columns() -> tuple[Column, ...]:
    """The map as a table: node, what it is, requests, errors, p99."""
    return (
        Column("Node", 0, _name, lambda r: r.name),
        Column("Kind", 86, lambda p, k, b, r: _soft(p, k, b, r.kind), lambda r: r.kind, drop=2),
        Column("Requests", 86, lambda p, k, b, r: _number(p, k, b, r.rate), lambda r: str(r.rate), right=True),
        Column("Errors", 78, lambda p, k, b, r: _number(p, k, b, r.errors), lambda r: str(r.errors), right=True),
        Column("p99", 78, lambda p, k, b, r: _number(p, k, b, r.p99), lambda r: str(r.p99), right=True, drop=1),
    )


def _name(painter: QPainter, look: Look, box: QRectF, row: NodeRow) -> None:
    paint.shape(painter, look, row.shape, paint.centred(box, 13, box.left() + 2))
    paint.words(painter, box.adjusted(22, 0, 0, 0), row.name, look.font("body", MEDIUM), look.colour("text-primary"), middle=True)


def _soft(painter: QPainter, look: Look, box: QRectF, text: str) -> None:
    paint.words(painter, box, text, look.font("body"), look.colour("text-secondary"))


def _number(painter: QPainter, look: Look, box: QRectF, shown: Value) -> None:
    if shown.shape == "unknown":
        paint.words(painter, box, "–", look.font("body"), look.colour("text-disabled"), paint.RIGHT)
    else:
        paint.value(painter, look, box, shown, "body")


class NodePainter(RowPainter):
    """A node on one line: shape, name, its requests and the figure that matters. On the phone two lines, to be touched."""

    def height(self, look: Look, row: NodeRow) -> int:
        return 54 if look.phone else 26

    def say(self, row: NodeRow) -> str:
        return say_node(row)

    def tip(self, row: NodeRow) -> str:
        return say_node(row)

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: NodeRow, state: State) -> None:
        ground(painter, look, box, state)
        inner = box.adjusted(12, 1, -12, 0)
        paint.shape(
            painter, look, row.shape, paint.centred(inner, 16 if look.phone else 13), "raised" if state.cursor else "card"
        )
        if look.phone:
            _two_lines(painter, look, inner.adjusted(26, 0, 0, 0), row)
            return
        figure = row.errors if row.errors.shape in ("warning", "critical") or row.p99.shape == "unknown" else row.p99
        _number(painter, look, inner, figure)
        _number(painter, look, inner.adjusted(0, 0, -76, 0), row.rate)
        name = inner.adjusted(22, 0, -150, 0)
        paint.words(painter, name, row.name, look.font("body", MEDIUM), look.colour("text-primary"), middle=True)


def _two_lines(painter: QPainter, look: Look, box: QRectF, row: NodeRow) -> None:
    upper, lower = box.adjusted(0, 7, 0, -box.height() / 2 + 3), box.adjusted(0, box.height() / 2 + 1, 0, -7)
    rate = paint.value(painter, look, upper, row.rate, "body") if row.rate.shape != "unknown" else 0.0
    name = upper.adjusted(0, 0, -rate - 10, 0)
    paint.words(painter, name, row.name, look.font("body", MEDIUM), look.colour("text-primary"), middle=True)
    paint.words(painter, lower, row.kind, look.font("small"), look.colour("text-secondary"))
    told = [v for v in (row.errors, row.p99) if v.shape != "unknown"]
    right = lower.right()
    for shown in reversed(told):
        wide = paint.value(painter, look, QRectF(lower.left(), lower.top(), right - lower.left(), lower.height()), shown, "small")
        right -= wide + 12


class LinkPainter(RowPainter):
    """Who is called, or calls: shape, name, requests, and the figure that matters."""

    def height(self, look: Look, row: LinkRow) -> int:
        return 44 if look.phone else 24

    def say(self, row: LinkRow) -> str:
        return f"{row.name}, {row.rate}, {row.figure}"

    def tip(self, row: LinkRow) -> str:
        return f"{self.say(row)}. Opens {'the edge between them' if row.ends is not None else 'the node'}."

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: LinkRow, state: State) -> None:
        ground(painter, look, box, state, line=False)
        inner = box.adjusted(14, 0, -14, 0)
        paint.shape(painter, look, row.shape, paint.centred(inner, 12))
        _number(painter, look, inner, row.figure)
        _number(painter, look, inner.adjusted(0, 0, -70, 0), row.rate)
        name = inner.adjusted(20, 0, -146, 0)
        paint.words(painter, name, row.name, look.font("body"), look.colour("text-primary"), middle=True)


class ErrorPainter(RowPainter):
    """A trace that failed: what it began with, how long it took, and when it was."""

    def height(self, look: Look, row: ErrorRow) -> int:
        return 36 if look.phone else 22

    def say(self, row: ErrorRow) -> str:
        return f"{row.name} from {row.origin}, {row.duration}, {row.time}"

    def tip(self, row: ErrorRow) -> str:
        return f"{self.say(row)}. Opens the trace."

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: ErrorRow, state: State) -> None:
        ground(painter, look, box, state, line=False)
        inner = box.adjusted(14, 0, -14, 0)
        paint.words(painter, inner, row.age, look.font("small"), look.colour("text-secondary"), paint.RIGHT)
        _number(painter, look, inner.adjusted(0, 0, -66, 0), row.duration)
        name = inner.adjusted(0, 0, -130, 0)
        wide = paint.words(painter, name, row.name, look.font(11, REGULAR, mono=True), look.colour("text-primary"), middle=True)
        rest = name.adjusted(wide + 7, 0, 0, 0)
        if rest.width() > 40:
            paint.words(painter, rest, f"from {row.origin}", look.font("small"), look.colour("text-secondary"))


class OperationPainter(RowPainter):
    """An operation: name, requests, errors, p99."""

    def height(self, look: Look, row: OperationRow) -> int:
        return 36 if look.phone else 22

    def say(self, row: OperationRow) -> str:
        return f"{row.name}, {row.rate}, {row.errors} fail, p99 {row.p99}"

    def tip(self, row: OperationRow) -> str:
        return f"{self.say(row)}. Opens its traces."

    def paint(self, painter: QPainter, look: Look, box: QRectF, row: OperationRow, state: State) -> None:
        ground(painter, look, box, state, line=False)
        inner = box.adjusted(14, 0, -14, 0)
        for right, shown in ((0, row.p99), (-58, row.errors), (-114, row.rate)):
            _number(painter, look, inner.adjusted(0, 0, right, 0), shown)
        name = inner.adjusted(0, 0, -174, 0)
        paint.words(painter, name, row.name, look.font(11, REGULAR, mono=True), look.colour("text-primary"), middle=True)


def every(rows: tuple[Any, ...]) -> str:
    """How many, for a heading."""
    return str(len(rows)) if rows else ""
