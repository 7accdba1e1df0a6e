"""What the painters of the service map get: nodes and edges as rows of words and columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from monitor.topology.projection import Camera
from ui.views.view import AlertRow, ChartView, EmptyState, Floats, Sentence, Shape, Value

Places = npt.NDArray[np.int32]
Mode = Literal["2D", "3D", "Table"]
MODES: tuple[Mode, ...] = ("2D", "3D", "Table")
Lens = Literal["Health", "Latency", "Traffic"]
LENSES: tuple[Lens, ...] = ("Health", "Latency", "Traffic")


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node in words. `figure` is the one thing that matters for its state, `line` all that its box has room for."""

    name: str
    kind: str
    shape: Shape
    rate: Value
    errors: Value
    p99: Value
    figure: str
    line: str

    @property
    def rounded(self) -> bool:
        """Whether its box is that of a store."""
        return self.kind in ("database", "queue")


@dataclass(frozen=True, eq=False, slots=True)
class MapView:
    """n nodes that are shown, the gravest first, and m edges between them.

    `spots` float64[n, 2]: layer and row, which a node keeps; `space` float64[n, 3]: the same in the room of 3D, layers along x.
    `edges` int32[m, 2]: places in `nodes`. `widths` float64[m] from 0 to 1 by the logarithm of the rate; `figures` float64[m, 3]
    rate, error share and p99 in seconds;
    `lanes` float64[m] the row along which a longer edge runs, NaN for one to the next layer. `columns`: (layer, what
    stands there). `extent` float64[2, 2]: least and greatest layer and row that any node has had, shown or not, and `room`
    float64[2, 3] the same in 3D: what is hidden or gone moves nothing.
    """

    nodes: tuple[NodeRow, ...]
    spots: Floats
    space: Floats
    edges: Places
    edge_shapes: tuple[Shape, ...]
    edge_labels: tuple[str, ...]
    widths: Floats
    figures: Floats
    lanes: Floats
    columns: tuple[tuple[int, str], ...]
    extent: Floats
    room: Floats


Ends = tuple[str, str]
"""Whole names of who calls and of who is called."""


@dataclass(frozen=True, slots=True)
class LinkRow:
    """Somebody a node calls or is called by, or an end of an edge. It leads to the edge between `ends`, else to the node `to`."""

    name: str
    shape: Shape
    rate: Value
    figure: Value
    to: str = ""
    ends: Ends | None = None


@dataclass(frozen=True, slots=True)
class OperationRow:
    """An operation of a service; it leads to the traces of `service` and `operation`, their whole names."""

    name: str
    rate: Value
    errors: Value
    p99: Value
    service: str = ""
    operation: str = ""


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A trace in which a span of the service failed: the operation and the service it began with, how long it took and when."""

    trace: str
    name: str
    origin: str
    duration: Value
    age: str
    time: str


DetailRow = AlertRow | OperationRow | ErrorRow | LinkRow
PARTS = ("Firing here", "Operations", "Recent errors", "Called by", "Calls", "Ends")


@dataclass(frozen=True, slots=True)
class DetailPart:
    """A list of what is open. `title` is one of `PARTS`; `note` says what its figures are, or why it is empty."""

    title: str
    rows: tuple[DetailRow, ...]
    note: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class NodeDetail:
    """A node or an edge opened: three figures as (label, value, comparison), charts of rate, errors and latency, and lists.

    `cursor`: the row chosen, counted over all `parts`; -1 is none. `edge`: whether it is an edge.
    `no_traces`: why there are no traces of it.
    """

    name: str
    shape: Shape
    subtitle: str
    sentence: Sentence
    stats: tuple[tuple[str, Value, str], ...]
    charts: tuple[ChartView, ...]
    parts: tuple[DetailPart, ...]
    cursor: int = -1
    edge: bool = False
    no_traces: str = ""

    def rows(self, title: str) -> tuple[DetailRow, ...]:
        """The rows of one list; none where there is no such list."""
        return next((part.rows for part in self.parts if part.title == title), ())


@dataclass(frozen=True, eq=False, slots=True)
class TopologyView:
    """`cursor`: place in `map.nodes` of the node chosen, `edge`: place in `map.edges` of the edge chosen, -1: none. `flat` is the
    camera of 2D, `orbit` that of 3D.

    `near`: of whom only the neighbourhood is shown, and how far; "" is everybody. `sentence` is the finding, `counts` how much is
    shown of what there is. `grammar`: what may be written into the filter, while it is written: (an example, what it does).
    """

    map: MapView
    cursor: int
    mode: Mode
    lens: Lens
    flat: Camera
    orbit: Camera
    filter: str
    filter_error: str
    failing: bool
    near: str
    sentence: Sentence
    counts: str
    detail: NodeDetail | None
    empty: EmptyState | None = None
    edge: int = -1
    grammar: tuple[tuple[str, str], ...] = ()
