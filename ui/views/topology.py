"""Topology: the services as a map in two dimensions, in three, and as a table; and what one of them does when it is opened."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.model.series import SeriesInfo
from monitor.topology import graph as g
from monitor.topology.projection import toward
from ui.views.context import Context
from ui.views.format import sanitise
from ui.views.page import moved
from ui.views.topologydetail import edge_of, no_spans, sends_spans
from ui.views.topologyeye import TopologyEye
from ui.views.topologyfilter import GRAMMAR
from ui.views.topologymap import MapModel, Now
from ui.views.topologynarrow import Narrowing
from ui.views.topologyopen import Opened
from ui.views.topologypicture import counts, edge_between, empty_state, map_view, sentence
from ui.views.topologyview import ErrorRow, LinkRow, MapView, OperationRow, TopologyView
from ui.views.view import AlertRow

TURN = 0.12
_ON_THE_MAP = ("open", "topology.explore", "topology.tidy", "topology.next_ill")


class Topology(TopologyEye):
    name = "topology"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.model = MapModel(ctx)
        self.chosen = ""
        """The node under the cursor, by its whole name; "" is none."""
        self.detail = Opened(ctx)
        self.narrow = Narrowing()
        self._order: tuple[str, ...] = ()
        self._shown: tuple[object, MapView | None, tuple[int, ...]] = (None, None, ())
        self.open_series: Callable[[int], None] = lambda row: None
        self.open_alert: Callable[[str], None] = lambda alert: None
        self.open_trace: Callable[[str], None] = lambda trace: None
        self.open_traces: Callable[[str, str, bool], None] = lambda service, operation, error: None
        self.open_logs: Callable[[str], None] = lambda service: None
        self.handlers |= {
            "cursor.down": lambda: self.move(1),
            "cursor.up": lambda: self.move(-1),
            "open": self.open,
            "topology.left": lambda: self._arrow(-1, 0),
            "topology.right": lambda: self._arrow(1, 0),
            "topology.up": lambda: self._arrow(0, -1),
            "topology.down": lambda: self._arrow(0, 1),
            "topology.failing": self._toggle_failing,
            "topology.near": self._neighbours,
            "topology.next_ill": self._next_ill,
            "topology.tidy": self._tidy,
            "topology.explore": self._explore,
            "topology.traces": lambda: self.open_traces(self._about(), "", False),
            "topology.errors": lambda: self.open_traces(self._about(), "", True),
            "topology.logs": lambda: self.open_logs(self._about()),
        }

    # ------------------------------------------------------------ what is shown

    def _map(self, now: Now) -> tuple[MapView, tuple[int, ...]]:
        """What is shown, and which node of the map each row is; the same object while nothing has changed."""
        key = (self.model.revision, self.lens, self.narrow.key, self.ctx.words)
        if self._shown[1] is None or self._shown[0] != key:
            before = self._order if not self.ctx.settled() else ()
            view, order = map_view(now, self.narrow.visible(now), self.lens, self.ctx, before)
            self._order = tuple(now.found.names[i] for i in order)
            self._shown = (key, view, order)
        assert self._shown[1] is not None
        return self._shown[1], self._shown[2]

    def _rows(self) -> tuple[str, ...]:
        """Whole names of the nodes shown, in the order of the rows."""
        self._map(self.model.now())
        return self._order

    def cursor(self) -> int:
        """The row chosen, -1: none."""
        rows = self._rows()
        return rows.index(self.chosen) if self.chosen in rows else -1

    # ------------------------------------------------------------ cursor

    def move(self, by: int) -> None:
        """In the lists of what is open, else from node to node."""
        rows = self._rows()
        if not self.detail.move(by) and rows:
            at = self.cursor()
            self._choose(rows[moved(at, by, len(rows)) if at >= 0 else (0 if by > 0 else len(rows) - 1)])

    def _choose(self, name: str) -> None:
        """The cursor to a node; where something is open that node takes its place."""
        self.chosen = name
        if self.detail:
            self.detail.show_node(name)

    def point(self, what: str, index: int) -> bool:
        rows = self._rows()
        if what == "topology":
            self._choose(rows[index] if 0 <= index < len(rows) else "")
        elif what == "topology.row":
            self.detail.point(index)
        elif what == "topology.edge":
            edges = self._map(self.model.now())[0].edges
            if 0 <= index < len(edges):
                a, b = edges[index].tolist()
                self.detail.show_edge((rows[a], rows[b]))
        else:
            return False
        return True

    def _arrow(self, x: int, y: int) -> None:
        """Walk from node to node; in 3D turn the eye; in the table up and down."""
        rows = self._rows()
        if self.mode == "3D":
            self.turn(-TURN * x, -TURN * y)
        elif self.mode == "Table":
            if y and rows:
                self._choose(rows[moved(self.cursor(), y, len(rows))])
        else:
            self._walk(x, y)

    def _walk(self, x: int, y: int) -> None:
        view, at = self._map(self.model.now())[0], self.cursor()
        if at < 0:
            self._choose(next(iter(self._rows()), ""))
            return
        # The next layer is tried first, though a node of the one after it may stand nearer to the same row.
        self._choose(self._rows()[toward(view.spots * np.array((2.0, 1.0)), at, x, y)])

    def _next_ill(self) -> None:
        """From one node that is not well to the next, the gravest first; a neighbourhood that is shown moves along."""
        now = self.model.now()
        ill = np.flatnonzero(self.narrow.passing(now) & (now.health >= g.Health.WARNING)).tolist()
        names = [now.found.names[i] for i in sorted(ill, key=lambda i: (-int(now.health[i]), i))]
        if not names:
            self.ctx.say("Nothing on this map is over its limits.")
            return
        name = names[(names.index(self.chosen) + 1) % len(names)] if self.chosen in names else names[0]
        if self.narrow.hops:
            self.narrow.near = name
        self._choose(name)

    def open(self) -> None:
        """Open the node under the cursor; where one is open, follow the row under the cursor of its lists."""
        row = self.detail.current()
        match row:
            case AlertRow():
                self.open_alert(row.id)
            case OperationRow():
                self.open_traces(row.service, row.operation, False)
            case ErrorRow():
                self.open_trace(row.trace)
            case LinkRow() if row.ends is not None:
                self.detail.show_edge(row.ends)
            case LinkRow():
                self.show(row.to)
            case _ if self.detail.edge is None:
                if self.cursor() < 0:
                    self.move(1)
                self.detail.show_node(self.chosen)

    def show(self, name: str) -> bool:
        """Open a node by its whole name, and widen what is shown where it is hidden; False where there is none of that name."""
        self.ctx.version += 1
        if name not in self.model.now().place:
            return False
        self.chosen = name
        self.detail.show_node(name)
        while name not in self._rows() and self.narrow.widen():
            pass
        return True

    def _about(self) -> str:
        """Whose traces and logs are asked for: the node's, or those of whichever end of an edge sends spans."""
        if self.detail.edge is None:
            return self.chosen
        now, (client, server) = self.model.now(), self.detail.edge
        return server if sends_spans(now, server) else client

    def why_off(self, action: str) -> str:
        if action in _ON_THE_MAP and not self._rows():
            return "There is nothing on the map."
        if action in ("topology.traces", "topology.errors", "topology.logs", "topology.explore"):
            about = self._about()
            if not about:
                return "Choose a node first: j and k, the arrows, or a click."
            if action in ("topology.traces", "topology.errors") and not sends_spans(self.model.now(), about):
                return no_spans(sanitise(about, 60))
        return ""

    # ------------------------------------------------------------ narrowing

    def set_text(self, what: str, text: str, cursor: int) -> bool:
        if what == "filter":
            self.narrow.type(text)
        return what == "filter"

    def submit(self, what: str) -> bool:
        if what == "filter":
            self.ctx.focus = ""
            if self.cursor() < 0:
                self._choose(next(iter(self._rows()), ""))
        return what == "filter"

    def _toggle_failing(self) -> None:
        self.narrow.failing = not self.narrow.failing
        if self.narrow.failing and not self._rows():
            self.narrow.failing = False
            self.ctx.say("Nothing on this map is over its limits.")

    def _neighbours(self) -> None:
        self.narrow.next_hop(self.chosen)
        if self.narrow.hops and not self._rows():
            self.narrow.everybody()
            self.ctx.say("Nothing on this map is over its limits: choose a node first.")

    def back(self) -> bool:
        """Close the edge, the node, then widen what is shown, then leave the cursor."""
        if self.detail.back() or self.narrow.widen():
            pass
        elif self.chosen:
            self.chosen = ""
        else:
            return False
        return True

    # ------------------------------------------------------------ acts

    def _tidy(self) -> None:
        self.ctx.remember("tidying up the map", self.model.tidy())
        self.ctx.say("Laid out anew.", undo="Undo")

    def _explore(self) -> None:
        """The busiest series of the chosen node in Explore."""
        found = self._series()
        if found is None:
            self.ctx.say("Choose a node first.")
        else:
            self.open_series(found.row)

    def _series(self) -> SeriesInfo | None:
        """The busiest series of the edge that is open, of the node chosen, or of an edge it has."""
        now, known = self.model.now(), self.ctx.mirror.series
        found = now.found
        if self.detail.edge is not None:
            rows = found.edge_seconds.rows[found.edge_seconds.places == edge_of(now, self.detail.edge)]
            return known.get(int(rows[0])) if len(rows) else None
        at = now.place.get(self.chosen)
        if at is None:
            return None
        edges = np.flatnonzero((found.servers == at) | (found.clients == at))
        for members, own in ((found.node_seconds, [at]), (found.node_calls, [at]), (found.edge_calls, edges)):
            rows = members.rows[np.isin(members.places, own)]
            if len(rows):
                return known.get(int(rows[0]))
        return None

    # ------------------------------------------------------------ picture

    def view(self) -> TopologyView:
        """The page now."""
        now = self.model.now()
        view, _ = self._map(now)
        names = self._order
        n, m = len(now.found.names), len(now.found.clients)
        return TopologyView(
            map=view,
            cursor=self.cursor(),
            mode=self.mode,
            lens=self.lens,
            flat=self.flat,
            orbit=self.orbit,
            filter=self.narrow.text,
            filter_error=self.narrow.error,
            failing=self.narrow.failing,
            near=self.narrow.words,
            sentence=sentence(now, self.ctx),
            counts="" if not n else counts(len(view.nodes), n, len(view.edges), m, now.found.left_out),
            detail=self.detail.view(now),
            empty=empty_state(self.ctx) if not n else None,
            edge=edge_between(view, names, self.detail.marked()),
            grammar=GRAMMAR if self.ctx.focus == "filter" else (),
        )
