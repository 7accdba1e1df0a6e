"""A trace as a flame: the stretch of it that is looked at, the spans of that on levels, and narrow ones joined and counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ui.views.axis import linear
from ui.views.context import Context
from ui.views.format import plural
from ui.views.traceslanes import lanes_of
from ui.views.traceslay import Laid
from ui.views.tracesview import FlameView, Frames, Joined, Places
from ui.views.traceswords import lasted, name_of, operation_of
from ui.views.traceszoom import Zoom
from ui.views.units import SECONDS
from ui.views.view import Tick


def flame_of(laid: Laid, zoom: Zoom) -> FlameView:
    """The spans of what is looked at. Callers of the span fill the width above it."""
    callers = _callers(laid, zoom.place)
    first, last = (zoom.place, laid.children(zoom.place).stop) if zoom.place >= 0 else (0, len(laid))
    lanes = lanes_of(
        laid.starts[first:last], laid.ends[first:last], [max(-1, parent - first) for parent in laid.parents[first:last]]
    )
    width = zoom.end - zoom.begin
    starts, ends = (laid.starts[first:last] - zoom.begin) / width, (laid.ends[first:last] - zoom.begin) / width
    seen = (starts < 1.0) & (ends > 0.0) | ((starts >= 0.0) & (starts <= 1.0))
    inner = np.arange(first, last)[seen]
    above = len(callers)
    places = np.concatenate([np.array(callers, np.int64), inner])
    return FlameView(
        places=places,
        starts=np.concatenate([np.zeros(above), np.clip(starts[seen], 0.0, 1.0)]),
        ends=np.concatenate([np.ones(above), np.clip(ends[seen], 0.0, 1.0)]),
        lanes=np.concatenate([np.arange(above), lanes[seen] + above]),
        above=above,
        levels=above + (int(lanes[seen].max()) + 1 if len(inner) else 0),
        begin=zoom.begin,
        end=zoom.end,
        outside=last - first - len(inner),
        ticks=_ticks(laid, zoom),
    )


def _callers(laid: Laid, place: int) -> list[int]:
    found: list[int] = []
    while place >= 0 and (place := laid.parents[place]) >= 0:
        found.append(place)
    return found[::-1]


def _ticks(laid: Laid, zoom: Zoom) -> tuple[Tick, ...]:
    low, high = zoom.begin * laid.length, zoom.end * laid.length
    _, ticks = linear(low, high, SECONDS, 6)
    width = max(high - low, 1e-12)
    return tuple(Tick((tick.at - low) / width, tick.label) for tick in ticks if low <= tick.at <= high)


def frames_of(flame: FlameView, failed: Sequence[bool], room: float, least: float) -> Frames:
    """The flame for a width of `room`: spans at least `least` wide by themselves, narrower neighbours joined.

    Neighbours of one level are joined where less than `least` lies between them, and a narrow span without any is one of one.
    `failed`: of every span of the trace.
    """
    wide = (flame.ends - flame.starts) * room >= least
    order = np.lexsort((flame.starts, flame.lanes))
    narrow = ~wide[order]
    starts, ends, lanes = flame.starts[order], flame.ends[order], flame.lanes[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = ~narrow[1:] | ~narrow[:-1] | (lanes[1:] != lanes[:-1]) | ((starts[1:] - ends[:-1]) * room >= least)
    edges = np.append(np.flatnonzero(begins), len(order))
    joined = [
        _joined(flame, order[a:b], failed) for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True) if narrow[a]
    ]
    return Frames(np.flatnonzero(wide), tuple(joined))


def _joined(flame: FlameView, which: Places, failed: Sequence[bool]) -> Joined:
    places = flame.places[which].tolist()
    return Joined(
        lane=int(flame.lanes[which[0]]),
        start=float(flame.starts[which[0]]),
        end=float(flame.ends[which].max()),
        place=places[0],
        count=len(places),
        failed=sum(failed[place] for place in places),
    )


def words_of(joined: Joined) -> str:
    """`12 spans, 2 failed`."""
    return plural(joined.count, "span") + (f", {joined.failed:,} failed" if joined.failed else "")


def zoomed_words(ctx: Context, laid: Laid, zoom: Zoom) -> str:
    """What fills the width: `cart GET /cart: 12.0 ms of 1.20 s`."""
    text = ctx.words.text
    took = f"{text(lasted((zoom.end - zoom.begin) * laid.length))} of {text(lasted(laid.length))}"
    if zoom.place < 0:
        return took
    span = laid.spans[zoom.place]
    return f"{name_of(span.service)} {operation_of(span.operation)}: {took}"


def flame_notes(flame: FlameView | None) -> tuple[str, ...]:
    """One sentence while a flame is shown, so that nothing below it moves when it is enlarged."""
    if flame is None:
        return ()
    if not flame.title:
        return ("Enter or a press enlarges a span. Narrow ones are joined and counted.",)
    other = f" {plural(flame.outside, 'span')} of it ran at other times." if flame.outside else ""
    return (f"Enlarged: {flame.title}. Esc leads back.{other}",)


def neighbour(flame: FlameView, place: int, by: int) -> int:
    """The span before (-1) or behind (1) one on its level; itself where there is none."""
    at = _index(flame.places, place)
    if at < 0:
        return place
    same = np.flatnonzero(flame.lanes == flame.lanes[at])
    same = same[np.argsort(flame.starts[same], kind="stable")]
    here = int(np.flatnonzero(same == at)[0])
    return int(flame.places[same[min(len(same) - 1, max(0, here + by))]])


def widest_child(laid: Laid, place: int) -> int:
    """The child that takes the most of a span, itself where it has none."""
    children = [child for child in laid.children(place) if laid.parents[child] == place]
    return max(children, key=lambda child: (float(laid.ends[child] - laid.starts[child]), -child), default=place)


def _index(places: Places, place: int) -> int:
    found = np.flatnonzero(places == place)
    return int(found[0]) if len(found) else -1
