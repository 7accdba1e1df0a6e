"""The service map in braille: layers as planes in 3D, or the whole of a map too large for boxes; nodes are their signs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitor.topology.projection import Projected, project, scene_of
from ui.terminal import braille
from ui.terminal.canvas import Canvas, Codes, Rect
from ui.terminal.cells import cut, width
from ui.terminal.ink import ink
from ui.terminal.parts import FAINT, FRAME, sign
from ui.terminal.stage import Stage
from ui.views.topologypicture import apart
from ui.views.topologyview import MapView, TopologyView
from ui.views.view import Floats

Dots = npt.NDArray[np.bool_]
MOST_NAMES = 60
_TONES = {"critical": 3, "warning": 2}


def paint_dots(stage: Stage, rect: Rect, view: TopologyView, *, space: bool, names: bool = True) -> None:
    """Edges as dots, nodes as signs, names where there is room: in 3D (`space`) with its planes, else flat."""
    if rect.w < 8 or rect.h < 3 or not view.map.nodes:
        return
    camera = view.orbit if space else view.flat

    def paint() -> None:
        stage.canvas.fill(rect, ink())
        _paint(stage.canvas, rect, view, space, names)

    stage.block("topology-dots", rect, (view.map, view.cursor, space, names, repr(camera)), paint)


def _paint(canvas: Canvas, rect: Rect, view: TopologyView, space: bool, names: bool) -> None:
    found = view.map
    place = _seen(found.space, view, rect) if space else _flat(view, rect)
    colours: Codes = np.zeros((rect.h, rect.w), np.int32)
    bits = np.zeros((rect.h, rect.w), np.uint8)
    if space:
        _lay(bits, colours, _planes(view, rect), FRAME)
    ends = place.xy[found.edges]
    level = np.array([_TONES.get(shape, 1) for shape in found.edge_shapes], np.int8)
    for tone, colour in ((1, ink("line-control")), (2, ink("warning")), (3, ink("critical"))):
        _lay(bits, colours, _segments(ends[level == tone], rect), colour)
    codes = bits.astype(np.int32)
    if canvas.ascii:
        codes[codes != 0] = ord(".")
    else:
        codes[codes != 0] += braille.BASE
    canvas.stamp(rect.x, rect.y, codes, colours)
    _nodes(canvas, rect, view, place, names)


def _lay(bits: braille.Bits, colours: Codes, dots: Dots, colour: int) -> None:
    own = braille.pack(dots)
    bits |= own
    colours[own != 0] = colour


def _seen(points: Floats, view: TopologyView, rect: Rect) -> Projected:
    """Points in dots of the region; names have room on the right."""
    low, high = view.map.room
    scene = scene_of(np.stack((low - np.array((0.0, 0.14, 0.16)), high + np.array((0.0, 0.14, 0.16)))))
    margin = 20.0 if rect.w > 50 else 8.0
    seen = project(points, view.orbit, scene, max(8.0, 2.0 * rect.w - margin - 4.0), max(8.0, 4.0 * rect.h - 8.0))
    return Projected(seen.xy + np.array((2.0, 4.0)), seen.scale, seen.depth)


def _flat(view: TopologyView, rect: Rect) -> Projected:
    """The map without perspective, stretched into the region."""
    low, high = view.map.extent
    size = np.maximum(high - low, 1.0)
    room = np.array((2.0 * rect.w - 24.0 if rect.w > 50 else 2.0 * rect.w - 6.0, 4.0 * rect.h - 6.0))
    xy = (view.map.spots - low) / size * room + np.array((3.0, 3.0))
    xy += np.array((view.flat.shift_x * 2.0 * rect.w, view.flat.shift_y * 4.0 * rect.h))
    ones = np.ones(len(xy))
    return Projected(xy, ones, np.zeros(len(xy)))


def _planes(view: TopologyView, rect: Rect) -> Dots:
    (_, y0, z0), (_, y1, z1) = view.map.room.tolist()
    step = apart(view.map.extent)
    y0, y1, z0, z1 = y0 - 0.14, y1 + 0.14, z0 - 0.16, z1 + 0.16
    around = ((y1, z0), (y1, z1), (y0, z1), (y0, z0), (y1, z0))
    points = np.array([(layer * step, y, z) for layer, _ in view.map.columns for y, z in around])
    corners = _seen(points, view, rect).xy.reshape(-1, 5, 2)
    return _segments(np.stack((corners[:, :-1], corners[:, 1:]), axis=2).reshape(-1, 2, 2), rect)


def _segments(ends: Floats, rect: Rect) -> Dots:
    """Straight lines float64[k, 2, 2] as dots bool[4 h, 2 w]; what lies outside is left out."""
    dots = np.zeros((4 * rect.h, 2 * rect.w), np.bool_)
    if not len(ends):
        return dots
    longest = int(min(4096.0, np.abs(ends[:, 1] - ends[:, 0]).max() + 2.0))
    share = np.linspace(0.0, 1.0, longest)[None, :, None]
    points = np.rint(ends[:, :1] * (1.0 - share) + ends[:, 1:] * share).astype(np.int64).reshape(-1, 2)
    inside = (points >= 0).all(1) & (points[:, 0] < dots.shape[1]) & (points[:, 1] < dots.shape[0])
    dots[points[inside, 1], points[inside, 0]] = True
    return dots


def _nodes(canvas: Canvas, rect: Rect, view: TopologyView, place: Projected, names: bool) -> None:
    """Signs from the farthest to the nearest, then names: the chosen, the gravest, the nearest, where nothing stands."""
    found = view.map
    cells = np.floor(place.xy / np.array((2.0, 4.0))).astype(int)
    order = np.argsort(-place.depth, kind="stable").tolist()
    inside = [i for i in order if 0 <= cells[i, 0] < rect.w and 0 <= cells[i, 1] < rect.h]
    taken: set[tuple[int, int]] = set()
    for i in inside:
        node, (x, y) = found.nodes[i], cells[i].tolist()
        chosen = i == view.cursor
        colour = ink("on-accent" if chosen else node.shape, "accent" if chosen else "canvas", bold=True)
        canvas.put(rect.x + x, rect.y + y, sign(node.shape, canvas.ascii), colour)
        canvas.hit(Rect(rect.x + max(0, x - 1), rect.y + y, 3, 1), "row", "topology", i)
        taken.add((x, y))
    if names:
        _names(canvas, rect, view, cells, inside[::-1], taken)


def _names(
    canvas: Canvas, rect: Rect, view: TopologyView, cells: npt.NDArray[np.int_], nearest: list[int], taken: set[tuple[int, int]]
) -> None:
    found = view.map
    wanted = sorted(nearest, key=lambda i: 0 if i == view.cursor else 4 - _TONES.get(found.nodes[i].shape, 0))
    for i in wanted[:MOST_NAMES]:
        node, (x, y) = found.nodes[i], cells[i].tolist()
        text = cut(f"{node.name} {node.figure}" if _TONES.get(node.shape) or i == view.cursor else node.name, 26)
        size = width(text)
        spot = {(x + 2 + k, y) for k in range(-1, size + 1)} - {(x, y), (x + 1, y)}
        if x + 2 + size > rect.w or spot & taken:
            continue
        taken |= spot
        tone = node.shape if node.shape in _TONES else "text-primary"
        canvas.put(rect.x + x + 2, rect.y + y, text, ink(tone, bold=i == view.cursor))


def paint_captions(canvas: Canvas, rect: Rect, view: MapView) -> None:
    """What stands in the layers, from the front to the back, on one line."""
    canvas.put(rect.x, rect.y, "  ".join(words for _, words in view.columns), FAINT, rect.w)
