"""What is open beside the map: a node, or an edge reached from it or from the map; and the cursor in its lists."""

from __future__ import annotations

from dataclasses import replace

from ui.views.context import Context
from ui.views.page import moved
from ui.views.topologydetail import EdgeModel, NodeModel, edge_of
from ui.views.topologyerrors import RecentErrors
from ui.views.topologymap import Now
from ui.views.topologyview import DetailRow, Ends, ErrorRow, LinkRow, NodeDetail, OperationRow
from ui.views.view import AlertRow


class Opened:
    """`node` whole name, `edge` whole names of both ends; "" and None: it is closed."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.errors = RecentErrors(ctx)
        self.node = ""
        self.edge: Ends | None = None
        self.row = -1
        self._rows: tuple[DetailRow, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.node) or self.edge is not None

    def show_node(self, name: str) -> None:
        """Open a node in place of whatever is open; "" closes."""
        if name != self.node or self.edge is not None:
            self.row, self._rows = -1, ()
        self.node, self.edge = name, None

    def show_edge(self, ends: Ends) -> None:
        """Open an edge; going back leads to the node it was reached from."""
        self.edge = ends
        self.row, self._rows = -1, ()

    def back(self) -> bool:
        """Close one step; False when nothing is open."""
        if self.edge is not None:
            self.edge = None
        elif self.node:
            self.node = ""
        else:
            return False
        self.row, self._rows = -1, ()
        return True

    def move(self, by: int) -> bool:
        """Move the cursor in its lists; False where there is nothing to move in."""
        if not self._rows:
            return False
        self.row = moved(self.row, by, len(self._rows)) if self.row >= 0 else (0 if by > 0 else len(self._rows) - 1)
        return True

    def point(self, row: int) -> None:
        """Put the cursor on a row of its lists."""
        self.row = row if 0 <= row < len(self._rows) else -1

    def current(self) -> DetailRow | None:
        """The row under the cursor."""
        return self._rows[self.row] if 0 <= self.row < len(self._rows) else None

    def marked(self) -> Ends | None:
        """The edge to be shown on the map: the one that is open, else that of the row under the cursor."""
        return self.edge if self.edge is not None else getattr(self.current(), "ends", None)

    def view(self, now: Now) -> NodeDetail | None:
        """It in words and charts; None where it is closed, or no longer on the map."""
        detail: NodeDetail | None = None
        at = edge_of(now, self.edge) if self.edge is not None else -1
        if at >= 0:
            detail = EdgeModel(self.ctx, now, at).view()
        elif self.edge is None and self.node in now.place:
            detail = NodeModel(self.ctx, now, self.node, self.errors).view()
        before = identity(self.current())
        self._rows = tuple(row for part in detail.parts for row in part.rows) if detail is not None else ()
        if before is not None:  # the cursor stays with its row when others come and go
            self.row = next((n for n, row in enumerate(self._rows) if identity(row) == before), -1)
        return replace(detail, cursor=self.row) if detail is not None else None


def identity(row: DetailRow | None) -> object:
    """What makes a row the same one although its figures have changed."""
    match row:
        case AlertRow():
            return "alert", row.id
        case OperationRow():
            return "operation", row.operation
        case ErrorRow():
            return "error", row.trace
        case LinkRow():
            return "link", row.ends, row.to
    return None
