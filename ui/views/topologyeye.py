"""How the map is looked at: its form, what its figures tell, and the cameras of 2D and 3D."""

from __future__ import annotations

from collections.abc import Callable

from monitor.topology.projection import Camera
from ui.views.context import Context
from ui.views.page import PageModel
from ui.views.topologyview import LENSES, MODES, Lens, Mode

NEARER = 1.25
SHIFT = 0.1
FLAT = Camera(yaw=0.0, pitch=0.0)


class TopologyEye(PageModel):
    """2D and 3D each keep their own camera."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.mode: Mode = "2D"
        self.lens: Lens = "Health"
        self.flat, self.orbit = FLAT, Camera()
        self.handlers = {
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
        }

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

    def turn(self, yaw: float, pitch: float) -> None:
        """Turn the eye of 3D, radians."""
        self.ctx.version += 1
        self.orbit = self.orbit.turned(yaw, pitch)

    def zoom(self, factor: float) -> None:
        """Nearer (above 1) or farther."""
        self._camera(lambda camera: camera.nearer(factor))

    def pan(self, x: float, y: float) -> None:
        """Move what is seen by shares of the screen."""
        self._camera(lambda camera: camera.moved(x, y))

    def fit(self) -> None:
        """All in sight again."""
        self._camera(lambda camera: Camera() if self.mode == "3D" else FLAT)

    def _camera(self, change: Callable[[Camera], Camera]) -> None:
        self.ctx.version += 1
        if self.mode == "3D":
            self.orbit = change(self.orbit)
        else:
            self.flat = change(self.flat)
