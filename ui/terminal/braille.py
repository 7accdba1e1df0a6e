"""Lines as braille dots, two by four a cell; in ASCII one point a cell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bits = npt.NDArray[np.uint8]
_WEIGHTS = np.array(((1, 8), (2, 16), (4, 32), (64, 128)), dtype=np.uint8)
BASE = 0x2800


def extent(
    times: Floats, values: Floats, x: tuple[float, float], y: tuple[float, float], columns: int, rows: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """The first and last dot row each dot column of a line takes, int32[columns] each; -1 where the line is not there.

    Every column takes the smallest and the largest of its samples; between samples the line is drawn straight, and NaN breaks it.
    Rows count from the top. Values beyond `y` lie on the edge.
    """
    top = np.full(columns, rows, dtype=np.int32)
    low = np.full(columns, -1, dtype=np.int32)
    span, height = x[1] - x[0], y[1] - y[0]
    if not len(times) or not columns or span <= 0 or height <= 0:
        return low.copy(), low
    places = (times - x[0]) / span * columns
    levels = np.clip((1.0 - (values - y[0]) / height) * (rows - 1), 0, rows - 1)
    for start, end in _runs(values):
        _draw_run(places[start:end], levels[start:end], top, low)
    top[low < 0] = -1
    return top, low


def _runs(values: Floats) -> list[tuple[int, int]]:
    finite = np.isfinite(values)
    if finite.all():
        return [(0, len(values))]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], finite, [False])).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _draw_run(places: Floats, levels: Floats, top: npt.NDArray[np.int32], low: npt.NDArray[np.int32]) -> None:
    """Lay one unbroken run into `top` and `low`."""
    columns = len(top)
    visible = np.flatnonzero((places >= 0) & (places < columns))
    if not len(visible):
        if len(places) < 2 or places[0] >= columns or places[-1] < 0:
            return
        first, last = 0, len(places)
    else:  # one neighbour on each side, so that the line enters and leaves the picture
        first, last = max(0, int(visible[0]) - 1), min(len(places), int(visible[-1]) + 2)
    places, levels = places[first:last], levels[first:last]
    a, b = max(0, int(places[0])), min(columns - 1, int(places[-1]))
    if b < a:
        return
    cells = np.arange(a, b + 1)
    middle = np.interp(np.clip(cells + 0.5, places[0], places[-1]), places, levels)
    highest, lowest = middle.copy(), middle.copy()
    index = places.astype(np.int64) - a
    inside = (index >= 0) & (index < len(cells)) & (places >= 0)
    if inside.any():
        slots, at = index[inside], levels[inside]
        full = np.zeros(len(cells), dtype=bool)
        full[slots] = True
        highest[full], lowest[full] = np.inf, -np.inf
        np.minimum.at(highest, slots, at)
        np.maximum.at(lowest, slots, at)
    up, down = np.rint(highest).astype(np.int32), np.rint(lowest).astype(np.int32)
    joined_up, joined_down = up.copy(), down.copy()
    # Neighbours that do not touch are joined from the later one, so that steep edges stay one line.
    np.minimum(joined_up[1:], down[:-1] + 1, out=joined_up[1:], where=up[1:] > down[:-1] + 1)
    np.maximum(joined_down[1:], up[:-1] - 1, out=joined_down[1:], where=down[1:] < up[:-1] - 1)
    top[a : b + 1] = np.minimum(top[a : b + 1], joined_up)
    low[a : b + 1] = np.maximum(low[a : b + 1], joined_down)


def fill_between(top: npt.NDArray[np.int32], low: npt.NDArray[np.int32], rows: int) -> npt.NDArray[np.bool_]:
    """Dots between two edges, bool[rows, columns]; columns with -1 stay empty."""
    row = np.arange(rows)[:, None]
    return (row >= top) & (row <= low) & (low >= 0)


def pack(dots: npt.NDArray[np.bool_]) -> Bits:
    """A matrix of dots, bool[4 h, 2 w], as braille bits, uint8[h, w]."""
    h, w = dots.shape[0] // 4, dots.shape[1] // 2
    blocks = dots.reshape(h, 4, w, 2).transpose(0, 2, 1, 3)
    bits: Bits = (blocks * _WEIGHTS).sum(axis=(2, 3), dtype=np.uint8)
    return bits


def line_bits(times: Floats, values: Floats, x: tuple[float, float], y: tuple[float, float], w: int, h: int) -> Bits:
    """Braille bits of one line over `w` by `h` cells, uint8[h, w]; a cell of zero bits is empty."""
    top, low = extent(times, values, x, y, 2 * w, 4 * h)
    return pack(fill_between(top, low, 4 * h))


def ascii_points(times: Floats, values: Floats, x: tuple[float, float], y: tuple[float, float], w: int, h: int) -> Bits:
    """The same line in ASCII, uint8[h, w]: one point a column at most, by height `.` `-` `'` within the cell; zero is empty."""
    top, low = extent(times, values, x, y, w, 3 * h)
    out = np.zeros((h, w), dtype=np.uint8)
    columns = np.flatnonzero(low >= 0)
    middle = (top[columns] + low[columns]) // 2
    out[middle // 3, columns] = np.frombuffer(b"'-.", dtype=np.uint8)[middle % 3]
    return out


def snap(x: tuple[float, float], cells: int) -> tuple[float, float]:
    """A time range moved right to whole cells, so that history stands still between shifts and then moves by one cell."""
    step = round(x[1] - x[0], 3) / max(cells, 1)  # rounded, or the noise of large times would move the grid
    if step <= 0:
        return x
    end = np.ceil(x[1] / step - 1e-6) * step
    return float(end - cells * step), float(end)
