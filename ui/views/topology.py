"""Topology: the services as a map in two dimensions, in three, and as a table; and what one of them does when it is opened."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from monitor.model.series import SeriesInfo
from monitor.topology import graph as g
from monitor.topology.projection import Camera, toward
from ui.views.context import Context
from ui.views.page import PageModel, moved
from ui.views.topologydetail import NodeModel
from ui.views.topologymap import MapModel, Now
from ui.views.topologynarrow import Narrowing
from ui.views.topologypicture import counts, empty_state, map_view, sentence
from ui.views.topologyview import LENSES, MODES, Lens, MapView, Mode, TopologyView

TURN = 0.12
NEARER = 1.25
SHIFT = 0.1
FLAT = Camera(yaw=0.0, pitch=0.0)


class Topology(PageModel):
    name = "topology"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.model = MapModel(ctx)
        self.mode: Mode = "2D"
        self.lens: Lens = "Health"
        self.flat, self.orbit = FLAT, Camera()
        self.chosen = ""
        """The node under the cursor, by its whole name; "" is none."""
        self.opened = False
        self.narrow = Narrowing()
        self._order: tuple[str, ...] = ()
        self._shown: tuple[object, MapView | None, tuple[int, ...]] = (None, None, ())
        self.open_series: Callable[[int], None] = lambda row: None
        self.handlers = {
            "cursor.down": lambda: self.move(1),
            "cursor.up": lambda: self.move(-1),
            "open": self.open,
            "topology.left": lambda: self._arrow(-1, 0),
            "topology.right": lambda: self._arrow(1, 0),
            "topology.up": lambda: self._arrow(0, -1),
            "topology.down": lambda: self._arrow(0, 1),
            "topology.pan_left": lambda: self.pan(SHIFT, 0.0),
            "topology.pan_right": lambda: self.pan(-SHIFT, 0.0),
            "topology.pan_up": lambda: self.pan(0.0, SHIFT),
            "topology.pan_down": lambda: self.pan(0.0, -SHIFT),
            "topology.nearer": lambda: self.zoom(NEARER),
            "topology.farther": lambda: self.zoom(1.0 / NEARER),
            "topology.fit": self.fit,
            "topology.mode": lambda: self.choose("mode", "2D" if self.mode == "3D" else "3D"),
            "topology.table": lambda: self.choose("mode", "2D" if self.mode == "Table" else "Table"),
            "topology.lens": lambda: self.choose("lens", LENSES[(LENSES.index(self.lens) + 1) % len(LENSES)]),
            "topology.failing": self._toggle_failing,
            "topology.near": self._neighbours,
            "topology.next_ill": self._next_ill,
            "topology.tidy": self._tidy,
            "topology.explore": self._explore,
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
        rows = self._rows()
        if rows:
            at = self.cursor()
            self.chosen = rows[moved(at, by, len(rows)) if at >= 0 else (0 if by > 0 else len(rows) - 1)]

    def point(self, what: str, index: int) -> bool:
        if what != "topology":
            return False
        rows = self._rows()
        self.chosen = rows[index] if 0 <= index < len(rows) else ""
        self.opened = self.opened and bool(self.chosen)
        return True

    def _arrow(self, x: int, y: int) -> None:
        """Walk from node to node; in 3D turn the eye; in the table up and down."""
        if self.mode == "3D":
            self.turn(-TURN * x, -TURN * y)
        elif self.mode == "Table":
            self.move(y)
        else:
            self._walk(x, y)

    def _walk(self, x: int, y: int) -> None:
        view, at = self._map(self.model.now())[0], self.cursor()
        if at < 0:
            self.move(1)
            return
        # The next layer is tried first, though a node of the one after it may stand nearer to the same row.
        self.chosen = self._rows()[toward(view.spots * np.array((2.0, 1.0)), at, x, y)]

    def _next_ill(self) -> None:
        """From one node that is not well to the next, the gravest first."""
        now = self.model.now()
        rows = [name for name in self._rows() if now.health[now.place[name]] >= g.Health.WARNING]
        if not rows:
            self.ctx.say("Nothing on this map is over its limits.")
            return
        at = rows.index(self.chosen) if self.chosen in rows else -1
        self.chosen = rows[(at + 1) % len(rows)]

    def open(self) -> None:
        if self.cursor() < 0:
            self.move(1)
        self.opened = bool(self.chosen)

    def why_off(self, action: str) -> str:
        if action in ("open", "topology.explore", "topology.tidy", "topology.next_ill") and not self._rows():
            return "There is nothing on the map."
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
                self.move(1)
        return what == "filter"

    def choose(self, what: str, value: str) -> bool:
        """ "mode" or "lens" by its word."""
        self.ctx.version += 1
        if what == "mode" and value in MODES:
            self.mode = next(m for m in MODES if m == value)
        elif what == "lens" and value in LENSES:
            self.lens = next(x for x in LENSES if x == value)
        else:
            return False
        return True

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
        """Close the node, then widen what is shown, then leave the cursor."""
        if self.opened:
            self.opened = False
        elif self.narrow.widen():
            pass
        elif self.chosen:
            self.chosen = ""
        else:
            return False
        return True

    # ------------------------------------------------------------ cameras

    def turn(self, yaw: float, pitch: float) -> None:
        """Turn the eye of 3D, radians."""
        self.ctx.version += 1
        self.orbit = self.orbit.turned(yaw, pitch)

    def zoom(self, factor: float) -> None:
        """Nearer (above 1) or farther."""
        self.ctx.version += 1
        self._camera(lambda camera: camera.nearer(factor))

    def pan(self, x: float, y: float) -> None:
        """Move what is seen by shares of the screen."""
        self.ctx.version += 1
        self._camera(lambda camera: camera.moved(x, y))

    def fit(self) -> None:
        """All in sight again."""
        self.flat, self.orbit = (FLAT, self.orbit) if self.mode != "3D" else (self.flat, Camera())

    def _camera(self, change: Callable[[Camera], Camera]) -> None:
        if self.mode == "3D":
            self.orbit = change(self.orbit)
        else:
            self.flat = change(self.flat)

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
        now = self.model.now()
        at = now.place.get(self.chosen)
        if at is None:
            return None
        for members, own in ((now.found.node_seconds, at), (now.found.node_calls, at)):
            rows = members.rows[members.places == own]
            if len(rows):
                return self.ctx.mirror.series.get(int(rows[0]))
        edges = np.flatnonzero((now.found.servers == at) | (now.found.clients == at))
        rows = now.found.edge_calls.rows[np.isin(now.found.edge_calls.places, edges)]
        return self.ctx.mirror.series.get(int(rows[0])) if len(rows) else None

    # ------------------------------------------------------------ picture

    def view(self) -> TopologyView:
        """The page now."""
        now = self.model.now()
        view, order = self._map(now)
        cursor = self.cursor()
        detail = None
        if self.opened and self.chosen in now.place:
            detail = NodeModel(self.ctx, now, self.chosen).view({node: i for i, node in enumerate(order)})
        n, m = len(now.found.names), len(now.found.clients)
        return TopologyView(
            map=view,
            cursor=cursor,
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
            detail=detail,
            empty=empty_state(self.ctx) if not n else None,
        )
