"""The service map as boxes with lines between them: drawn on a sheet as large as the map, of which the screen shows a part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ui.terminal.canvas import Canvas, Rect
from ui.terminal.ink import ink
from ui.terminal.parts import FRAME, QUIET, sign
from ui.terminal.stage import Stage
from ui.views.topologyview import MapView, NodeRow, TopologyView
from ui.views.view import Shape

NORTH, EAST, SOUTH, WEST = 1, 2, 4, 8
BENDS = {
    0: " ",
    NORTH: "│",
    SOUTH: "│",
    NORTH | SOUTH: "│",
    EAST: "─",
    WEST: "─",
    EAST | WEST: "─",
    NORTH | EAST: "╰",
    EAST | SOUTH: "╭",
    SOUTH | WEST: "╮",
    NORTH | WEST: "╯",
    NORTH | EAST | SOUTH: "├",
    NORTH | SOUTH | WEST: "┤",
    EAST | SOUTH | WEST: "┬",
    NORTH | EAST | WEST: "┴",
    15: "┼",
}
_TABLE = np.array([ord(BENDS[i]) for i in range(16)], np.int32)
_INKS: tuple[Shape | None, ...] = (None, "unknown", "silenced", "warning", "critical")
_LEVELS = {"unknown": 1, "silenced": 2, "warning": 3, "critical": 4}
BORDERS: dict[Shape, str] = {"critical": "╔═╗║╚╝", "unknown": "╭╌╮┆╰╯", "silenced": "╭╌╮┆╰╯"}
ROUND = "╭─╮│╰╯"
WIDE, NARROW, GAP = 18, 13, 3
MOST_CELLS = 2_000_000
"""Cells of the sheet at most; a larger map is shown as dots."""
OVERVIEW = 0.9
"""Zoom below which the map is shown as dots."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes in cells: boxes `w` by `h`, `step_x` and `step_y` from box to box, the sheet's `width` and `height`."""

    w: int
    h: int
    step_x: int
    step_y: int
    width: int
    height: int


def plan(view: MapView, room_w: int, room_h: int) -> Plan:
    """The largest boxes with which the whole map fits; where none does, the smallest, and the sheet is larger than the room."""
    (low_x, low_y), (high_x, high_y) = view.extent.tolist()
    layers, rows = round(high_x - low_x) + 1, high_y - low_y
    w = max(NARROW, min(WIDE, (room_w + GAP) // layers - GAP))
    step_x = max(w + GAP, min(w + 7, (room_w - w) // max(1, layers - 1)))
    h, step_y = (4, 5) if rows * 5 + 4 <= room_h else (3, 4)
    step_y = max(step_y, min(h + 3, int((room_h - h) // rows) if rows >= 1 else step_y))
    return Plan(w, h, step_x, step_y, (layers - 1) * step_x + w, int(rows * step_y) + h)


def fits(view: MapView, room_w: int, room_h: int) -> bool:
    """Whether boxes are of use: the sheet is not too large to be walked."""
    found = plan(view, room_w, room_h)
    return found.width * found.height <= MOST_CELLS


def paint_boxes(stage: Stage, rect: Rect, view: TopologyView) -> None:
    """The part of the map round the chosen node, moved by the camera; captions in the first row."""
    found, body = view.map, rect.inner(top=1)
    sizes = plan(found, body.w, body.h)
    corner = found.extent[0]
    x = np.rint((found.spots[:, 0] - corner[0]) * sizes.step_x).astype(int)
    y = np.floor((found.spots[:, 1] - corner[1]) * sizes.step_y).astype(int)
    left, top = _corner(stage, view, sizes, body, x, y)

    def paint() -> None:
        canvas = stage.canvas
        canvas.fill(rect, ink())
        for layer, words in found.columns:
            at = rect.x + round((layer - float(corner[0])) * sizes.step_x) - left
            if rect.x <= at < rect.right:
                canvas.put(at, rect.y, words, QUIET, min(sizes.step_x - 1, rect.right - at))
        if left > 0:
            canvas.put(rect.x, rect.y, "◀ more ", ink("accent"))
        if left + body.w < sizes.width:
            canvas.right(rect.right, rect.y, " more ▶", ink("accent"))
        _stamp(canvas, body, *_sheet(found, sizes, x, y), left, top)
        for i, node in enumerate(found.nodes):
            place = Rect(body.x + int(x[i]) - left, body.y + int(y[i]) - top, sizes.w, sizes.h)
            if place.x >= body.x - 1 and place.right <= body.right + 1 and place.y >= body.y and place.bottom <= body.bottom:
                _box(canvas, place, node, chosen=i == view.cursor)
                canvas.hit(place, "row", "topology", i)

    stage.block("topology-boxes", rect, (found, view.cursor, left, top), paint)


def _corner(
    stage: Stage, view: TopologyView, sizes: Plan, body: Rect, x: npt.NDArray[np.int_], y: npt.NDArray[np.int_]
) -> tuple[int, int]:
    """The sheet's cell in the upper left: the middle when all fits, else it moves only as far as the chosen node needs."""
    corner = []
    for name, size, room, at, box, shift in (
        ("x", sizes.width, body.w, x, sizes.w, view.flat.shift_x * body.w),
        ("y", sizes.height, body.h, y, sizes.h, view.flat.shift_y * body.h),
    ):
        key = f"topology-{name}"
        if size <= room:
            corner.append(-((room - size) // 2) - round(shift))
            continue
        first = min(max(0, stage.memory.first.get(key, 0)), size - room)
        if view.cursor >= 0:
            here = int(at[view.cursor])
            first = min(first, max(0, here - 2)) if here < first else max(first, here + box + 2 - room)
        first = stage.memory.first[key] = min(max(0, first), size - room)
        corner.append(first - round(shift))
    return corner[0], corner[1]


# ---------------------------------------------------------------- lines

Sheet = npt.NDArray[np.int32]


class _Wires:
    """Which sides of each cell a line leaves by, and the gravest line that passes it."""

    def __init__(self, width: int, height: int) -> None:
        self.sides: Sheet = np.zeros((height, width), np.int32)
        self.levels: Sheet = np.zeros((height, width), np.int32)

    def across(self, y: int, a: int, b: int, level: int) -> None:
        a, b = min(a, b), max(a, b)
        self.sides[y, a:b] |= EAST
        self.sides[y, a + 1 : b + 1] |= WEST
        self._mark(self.levels[y, a : b + 1], level)

    def down(self, x: int, a: int, b: int, level: int) -> None:
        a, b = min(a, b), max(a, b)
        self.sides[a:b, x] |= SOUTH
        self.sides[a + 1 : b + 1, x] |= NORTH
        self._mark(self.levels[a : b + 1, x], level)

    @staticmethod
    def _mark(part: Sheet, level: int) -> None:
        np.maximum(part, level, out=part)


_drawn: list[tuple[MapView, Plan, tuple[Sheet, Sheet]]] = []
"""The sheet drawn last: walking from node to node changes none of its lines."""


def _sheet(view: MapView, sizes: Plan, x: npt.NDArray[np.int_], y: npt.NDArray[np.int_]) -> tuple[Sheet, Sheet]:
    if not _drawn or _drawn[0][0] is not view or _drawn[0][1] != sizes:
        _drawn[:] = [(view, sizes, _lines(view, sizes, x, y))]
    return _drawn[0][2]


def _lines(view: MapView, sizes: Plan, x: npt.NDArray[np.int_], y: npt.NDArray[np.int_]) -> tuple[Sheet, Sheet]:
    """The sheet's characters and inks, int32[height, width + margin]; the margin holds ways back round the last layer."""
    wires = _Wires(sizes.width + 2 * GAP, sizes.height + 2)
    heads: list[tuple[int, int, int]] = []
    layers = np.rint(view.spots[:, 0] - view.extent[0, 0]).astype(int)
    taken = _taken(layers, y, sizes)
    used: dict[tuple[int, int], set[int]] = {}
    channels = max(1, sizes.step_x - sizes.w - 2)
    turn = _numbers(view)
    for i, (a, b) in enumerate(view.edges.tolist()):
        level = _LEVELS.get(view.edge_shapes[i], 0)
        start, end = int(y[a]) + 1, int(y[b]) + 1
        out, into = int(x[a]) + sizes.w, int(x[b]) - 1
        channel = out + 1 + turn[a] % channels if channels > 1 else out + 1
        channel = min(channel, out + channels)
        if into < 1:
            continue
        if layers[b] == layers[a] + 1:
            wires.across(start, out, channel, level)
            wires.down(channel, start, end, level)
            wires.across(end, channel, into, level)
        else:
            low, high = sorted((int(layers[a]), int(layers[b])))
            passed = range(low + 1, high) if layers[b] > layers[a] else range(low, high + 1)
            lane = _lane(passed, taken, used, end, sizes.height, {a, b})
            home = into - 1
            wires.across(start, out, channel, level)
            wires.down(channel, start, lane, level)
            wires.across(lane, channel, home, level)
            wires.down(home, lane, end, level)
            wires.across(end, home, into, level)
        heads.append((end, into, level))
    chars = _TABLE[wires.sides]
    dashed = wires.levels == _LEVELS["critical"]
    chars[dashed & (wires.sides == (EAST | WEST))] = ord("╌")
    chars[dashed & (wires.sides == (NORTH | SOUTH))] = ord("┆")
    inks = np.array([FRAME if s is None else ink(s) for s in _INKS], np.int32)[wires.levels]
    for row, column, level in heads:
        chars[row, column] = ord("▶")
        shape = _INKS[level]
        inks[row, column] = ink("line-control") if shape is None else ink(shape)
    chars[wires.sides == 0] = 0
    return chars, inks


def _numbers(view: MapView) -> list[int]:
    """A number for each node among those of its layer, from the top: neighbours leave by different channels."""
    order = np.lexsort((view.spots[:, 1], view.spots[:, 0])).tolist()
    numbers = [0] * len(order)
    last, count = None, 0
    for i in order:
        layer = view.spots[i, 0]
        count = count + 1 if layer == last else 0
        last, numbers[i] = layer, count
    return numbers


def _taken(layers: npt.NDArray[np.int_], y: npt.NDArray[np.int_], sizes: Plan) -> dict[int, set[int]]:
    """Rows of the sheet that boxes of each layer cover."""
    taken: dict[int, set[int]] = {}
    for layer, top in zip(layers.tolist(), y.tolist(), strict=True):
        taken.setdefault(layer, set()).update(range(top, top + sizes.h))
    return taken


def _lane(
    passed: range, taken: dict[int, set[int]], used: dict[tuple[int, int], set[int]], wanted: int, height: int, ends: set[int]
) -> int:
    """The row nearest to the wanted one on which nothing stands in the layers passed, and no line that has other ends."""
    spare = wanted
    for by in range(2 * height + 4):
        row = wanted + ((by + 1) // 2) * (1 if by % 2 else -1)
        if not 0 <= row < height + 2 or any(row in taken.get(layer, ()) for layer in passed):
            continue
        if all(not (other := used.get((layer, row))) or other & ends for layer in passed):
            for layer in passed:
                used.setdefault((layer, row), set()).update(ends)
            return row
        spare = row if spare == wanted else spare
    return spare


def _stamp(canvas: Canvas, body: Rect, chars: Sheet, inks: Sheet, left: int, top: int) -> None:
    """The part of the sheet that begins at (left, top) into the body."""
    x0, y0 = max(0, left), max(0, top)
    w = min(chars.shape[1] - x0, body.w - (x0 - left))
    h = min(chars.shape[0] - y0, body.h - (y0 - top))
    if w <= 0 or h <= 0:
        return
    part = chars[y0 : y0 + h, x0 : x0 + w]
    if canvas.ascii:
        part = _ascii(part)
    canvas.stamp(body.x + x0 - left, body.y + y0 - top, part, inks[y0 : y0 + h, x0 : x0 + w])


def _ascii(chars: Sheet) -> Sheet:
    plain = np.where(chars == 0, 0, ord("+")).astype(np.int32)
    for sign_, codes in (("-", "─╌"), ("|", "│┆"), (">", "▶")):
        plain[np.isin(chars, [ord(c) for c in codes])] = ord(sign_)
    return plain


# ---------------------------------------------------------------- boxes


def _box(canvas: Canvas, rect: Rect, node: NodeRow, *, chosen: bool) -> None:
    back = "raised" if chosen else "canvas"
    ill = node.shape in ("critical", "warning", "unknown", "silenced")
    colour = ink("accent" if chosen else node.shape if ill else "line-control", back, bold=chosen or node.shape == "critical")
    corners = "+-+|++" if canvas.ascii else BORDERS.get(node.shape, ROUND)
    if canvas.ascii and node.shape == "critical":
        corners = "######"
    a, across, b, side, c, d = tuple(corners)
    canvas.fill(rect, ink(back=back))
    canvas.put(rect.x, rect.y, a + across * (rect.w - 2) + b, colour)
    canvas.put(rect.x, rect.bottom - 1, c + across * (rect.w - 2) + d, colour)
    for y in range(rect.y + 1, rect.bottom - 1):
        canvas.put(rect.x, y, side, colour)
        canvas.put(rect.right - 1, y, side, colour)
    pad = 2 if rect.w >= 15 else 1
    canvas.put(rect.x + pad, rect.y + 1, sign(node.shape, canvas.ascii), ink(node.shape, back))
    canvas.put(rect.x + pad + 2, rect.y + 1, node.name, ink(back=back, bold=ill or chosen), rect.w - pad - 3)
    tone = ink(node.shape if node.shape in ("critical", "warning") else "text-secondary", back)
    room = rect.w - pad - 1
    line = node.line if len(node.line) <= room else node.figure
    if rect.h >= 4:
        canvas.put(rect.x + pad, rect.y + 2, line, tone, room)
    else:
        text = f" {node.figure} "[: rect.w - 4]
        canvas.put(rect.x + 2, rect.bottom - 1, text, tone)
