"""Into what a flame was zoomed, step by step, and the ways back."""

from __future__ import annotations

from dataclasses import dataclass

from ui.views.traceslay import Laid

MOST_STEPS = 64
LEAST = 1e-9
"""Share of a trace below which nothing can be told apart any more."""


@dataclass(frozen=True, slots=True)
class Zoom:
    """What fills the width: the span at `place` (-1: the whole trace), from `begin` to `end` as shares of the trace."""

    place: int = -1
    begin: float = 0.0
    end: float = 1.0


class Zooms:
    """Steps into a trace, at most 64; the last one is looked at."""

    def __init__(self) -> None:
        self.steps: list[Zoom] = []

    @property
    def now(self) -> Zoom:
        return self.steps[-1] if self.steps else Zoom()

    def onto(self, laid: Laid, place: int) -> None:
        """Let a span fill the width. A caller of what fills it leads back to that, the span itself one step back."""
        now = self.now
        if now.place == place:
            self.out()
        elif now.place in laid.children(place):
            while self.steps and self.now.place in laid.children(place):
                self.steps.pop()
            if self.now.place != place and (place or laid.tops > 1):
                self._step(onto(laid, place))
        elif place or laid.tops > 1:
            self._step(onto(laid, place))

    def into(self, begin: float, end: float) -> None:
        """Let a stretch of what is looked at fill the width, shares of the trace."""
        now = self.now
        begin, end = max(now.begin, begin), min(now.end, end)
        if end - begin >= LEAST and (begin, end) != (now.begin, now.end):
            self._step(Zoom(now.place, begin, end))

    def out(self) -> bool:
        """One step back; False where the whole trace is looked at."""
        return bool(self.steps) and bool(self.steps.pop())

    def _step(self, zoom: Zoom) -> None:
        self.steps = [*self.steps, zoom][-MOST_STEPS:]


def onto(laid: Laid, place: int) -> Zoom:
    """What shows a span; one of no length with what hangs under it."""
    begin, end = float(laid.starts[place]), float(laid.ends[place])
    if end - begin < LEAST:
        below = laid.children(place)
        end = max([end, *laid.ends[below.start : below.stop].tolist()])
    if end - begin < LEAST:
        begin = min(begin, 1.0 - LEAST)
        end = begin + LEAST
    return Zoom(place, begin, end)
