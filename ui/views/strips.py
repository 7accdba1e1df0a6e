"""Firing strips: the last day in blocks, the gravest state of each."""

from __future__ import annotations

import math
from collections.abc import Iterable

from monitor.alerting.model import Alert, State
from ui.views.chart import shape_of
from ui.views.view import Shape

HOUR = 3600.0
Strip = tuple[Shape | None, ...]
_RANK: dict[str, int] = {"": 0, "silenced": 1, "info": 2, "unknown": 3, "warning": 4, "critical": 5}


def first_block(now: float, blocks: int, seconds: float) -> float:
    """Start of the oldest block; blocks stand at round times, so that they move once a block and not each second."""
    return (math.floor(now / seconds) - blocks + 1) * seconds


def firing_strip(alert: Alert, now: float, blocks: int = 24, seconds: float = HOUR, silenced_from: float | None = None) -> Strip:
    """24 blocks of an hour, newest last: the gravest severity fired in each, None where it was quiet.

    Blocks after `silenced_from` are hatched; the newest one is unknown while there is no data.
    """
    strip: list[Shape | None] = [None] * blocks
    start = first_block(now, blocks, seconds)
    for firing in alert.firings:
        _paint(strip, firing.start, now if firing.end is None else firing.end, shape_of(firing.severity), start, seconds)
    if silenced_from is not None:
        first = max(0, int((max(silenced_from, start) - start) // seconds))
        strip[first:] = ["silenced" if shape is not None else None for shape in strip[first:]]
    elif alert.no_data and alert.state is State.FIRING:
        strip[-1] = "unknown"
    return tuple(strip)


def merged_strip(alerts: Iterable[Alert], now: float, blocks: int = 24, seconds: float = HOUR) -> Strip:
    """The gravest of several alerts, block by block."""
    merged: list[Shape | None] = [None] * blocks
    for alert in alerts:
        for i, shape in enumerate(firing_strip(alert, now, blocks, seconds)):
            if shape is not None and _RANK[shape] > _RANK[merged[i] or ""]:
                merged[i] = shape
    return tuple(merged)


def day_strip(
    alerts: Iterable[Alert], end: float, until: float, blocks: int = 48, seconds: float = 1800.0
) -> tuple[Shape | None, ...]:
    """Half hours up to `end`, the gravest of each. What still fires is known to have done so until `until`."""
    start = first_block(end, blocks, seconds)
    shapes: list[Shape | None] = [None] * blocks
    for alert in alerts:
        for firing in alert.firings:
            _paint(shapes, firing.start, until if firing.end is None else firing.end, shape_of(firing.severity), start, seconds)
    return tuple(shapes)


def graver(first: Shape | None, second: Shape | None) -> Shape | None:
    """The one to be shown of two."""
    return second if _RANK[second or ""] > _RANK[first or ""] else first


def _paint(strip: list[Shape | None], begin: float, end: float, shape: Shape, start: float, seconds: float) -> range:
    if not (math.isfinite(begin) and math.isfinite(end)) or end < start:
        return range(0)
    first = max(0, min(len(strip), int((begin - start) // seconds)))
    last = max(-1, min(len(strip) - 1, int((end - start) // seconds)))
    for i in range(first, last + 1):
        if _RANK[shape] > _RANK[strip[i] or ""]:
            strip[i] = shape
    return range(first, last + 1)
