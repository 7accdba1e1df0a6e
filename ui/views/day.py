"""The strip of a day above every page: what fired and when, how busy it was, and when somebody changed something."""

from __future__ import annotations

import math

import numpy as np

from monitor.alerting.model import HAPPENINGS
from monitor.model.series import SeriesInfo
from monitor.wire import messages as m
from ui.client.line import Answer
from ui.views.context import DAY, HOUR, Context
from ui.views.format import sanitise
from ui.views.rewinding import Rewinding
from ui.views.strips import day_strip, first_block, graver
from ui.views.view import Floats, Shape

BLOCKS = 48
BLOCK = 1800.0
AHEAD = 6 * HOUR
"""How much of what came after a moment the strip shows when that lies more than a day back."""
AGAIN = 300.0
"""Seconds after which the load is asked for again."""
STEP = 600.0
CHANGES = HAPPENINGS | {"rule_saved", "rules_reloaded", "collector_started", "note"}
MOST_CHANGES = 40
UNKNOWN = -1.0
OWN_LOAD = "host.cpu.busy"
TOTAL_LOAD = "lightship_points_total"


class Day:
    """Made anew once a minute; the load is asked of the collector's history and named for what it is."""

    def __init__(self, ctx: Context, rewinding: Rewinding) -> None:
        self.ctx = ctx
        self.rewinding = rewinding
        self._strip: tuple[object, tuple[tuple[Shape | None, float], ...]] = (None, ())
        self._load: Floats = np.full(BLOCKS, UNKNOWN)
        self._loads = 0
        self._asked: tuple[float, float] = (0.0, -math.inf)
        """First block and time of the last question."""

    def span(self) -> tuple[float, float]:
        """(start, end) of the strip: the last 24 hours, or a day round a moment that lies before them."""
        present = self.ctx.live_present()
        moment = self.rewinding.moment
        end = present if moment > present - DAY + BLOCK else min(present, moment + AHEAD)
        start = first_block(end, BLOCKS, BLOCK)
        return start, start + BLOCKS * BLOCK

    def strip(self) -> tuple[tuple[Shape | None, float], ...]:
        """48 half hours: the gravest that fired, and the load."""
        ctx = self.ctx
        start, end = self.span()
        self._ask(start, min(end, ctx.live_present()))
        present = ctx.live_present()
        key = (
            start,
            int(present // 60),
            len(ctx.live.book.firing),
            ctx.live.book.known,
            ctx.rewound,
            ctx.book.known,
            self._loads,
        )
        if self._strip[0] != key:
            shapes = day_strip(ctx.live.book.told(), end - 1, present, BLOCKS, BLOCK)
            if ctx.rewound:  # what fired a day before that moment, too
                then = day_strip(ctx.book.told(), end - 1, ctx.present(), BLOCKS, BLOCK)
                shapes = tuple(graver(a, b) for a, b in zip(shapes, then, strict=True))
            self._strip = (key, tuple((shape, float(load)) for shape, load in zip(shapes, self._load, strict=True)))
        return self._strip[1]

    def changes(self) -> tuple[tuple[float, str], ...]:
        """When somebody changed something, and what."""
        start, end = self.span()
        found = [e for e in self.ctx.live.mirror.events if e.kind in CHANGES and not e.alert and start <= e.at <= end]
        return tuple((e.at, sanitise(e.text, 80)) for e in found[-MOST_CHANGES:])

    def load_words(self) -> str:
        """What the height is; "" while it is not known."""
        info = self._series()
        if info is None or not (self._load >= 0).any():
            return ""
        return "CPU busy" if info.key.name == OWN_LOAD else "samples taken in"

    # ------------------------------------------------------------ the load

    def _series(self) -> SeriesInfo | None:
        index = self.ctx.live.index
        own = min(index.named(OWN_LOAD), key=lambda info: len(info.key.tags), default=None)
        return own or next(iter(index.named(TOTAL_LOAD)), None)

    def _ask(self, start: float, end: float) -> None:
        """Asks for the load of these blocks, where there is history and it was not asked lately."""
        ctx = self.ctx
        hello, info = ctx.live.mirror.hello, self._series()
        first, at = self._asked
        if hello is None or info is None or not hello.since or end - hello.since < HOUR or not ctx.live.mirror.connected:
            return
        if first == start and ctx.now() - at < AGAIN:
            return
        if first != start:
            kept = round((start - first) / BLOCK)
            self._load = _moved(self._load, kept) if 0 < kept < BLOCKS else np.full(BLOCKS, UNKNOWN)
            self._loads += 1
        self._asked = (start, ctx.now())
        field = "mean" if info.key.name == OWN_LOAD else "rate"
        selector = str(ctx.live.index.selector(info))
        window = hello.windows[0] if hello.windows else 60.0
        begin = max(start, hello.since)
        query = m.HistoryQuery(0, selector, (field,), begin, end, window=window, step=STEP, limit=1)
        ctx.send(query, lambda answer: self._take(answer, start, field))

    def _take(self, answer: Answer, start: float, field: str) -> None:
        if not isinstance(answer, m.History) or start != self._asked[0] or not len(answer.columns):
            return
        values = np.asarray(answer.columns[0])[: len(answer.times)]
        blocks = np.floor((np.asarray(answer.times) - 1.0 - start) / BLOCK).astype(np.int64)
        known = np.isfinite(values) & (blocks >= 0) & (blocks < BLOCKS)
        counts = np.bincount(blocks[known], minlength=BLOCKS)
        totals = np.bincount(blocks[known], values[known], BLOCKS)
        means = np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)
        most = 100.0 if field == "mean" else float(np.nanmax(means, initial=0.0)) or 1.0
        self._load = np.where(np.isfinite(means), np.clip(means / most, 0.0, 1.0), UNKNOWN)
        self._loads += 1
        self.ctx.version += 1


def _moved(load: Floats, by: int) -> Floats:
    """The blocks moved into the past by so many, the new ones unknown."""
    moved = np.full(BLOCKS, UNKNOWN)
    moved[:-by] = load[by:]
    return moved
