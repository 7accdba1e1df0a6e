"""Which stretch of time is shown: live, paused, one window back, or zoomed."""

from __future__ import annotations

from dataclasses import dataclass

from ui.views.format import duration, short_range
from ui.views.lines import Span

HOUR, DAY = 3600.0, 86_400.0
RANGES = (300.0, 900.0, 1800.0, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY)
USUAL = 1800.0
LEAST = 10.0
"""Seconds: no zoom goes closer."""


@dataclass
class TimeControl:
    """`end` None: live, the newest data are shown. Otherwise the view stands still and ends there.

    `zoomed` is the span a chart gesture chose; `held` counts the times the view was stopped, so that readers know
    which snapshot they look at.
    """

    range: float = USUAL
    end: float | None = None
    zoomed: Span | None = None
    held: int = 0
    chosen: bool = False
    """Whether a person chose the range; until then it grows with what there is to show."""

    def fit(self, kept: float) -> None:
        """The shortest range that shows all of the `kept` seconds, up to the usual one, while nobody has chosen another."""
        if not self.chosen and not self.paused:
            self.range = next((r for r in RANGES if r >= min(kept, USUAL)), USUAL)

    @property
    def paused(self) -> bool:
        return self.end is not None

    def span(self, present: float) -> Span:
        """(start, end) of what is shown."""
        if self.zoomed is not None:
            return self.zoomed
        end = present if self.end is None else self.end
        return end - self.range, end

    def pause(self, present: float) -> None:
        """Stop at the present; a view that stands already keeps its place."""
        if self.end is None:
            self.end = present
            self.held += 1

    def live(self) -> None:
        """Back to the newest data, zoom undone."""
        self.end, self.zoomed = None, None

    def ranges(self, recent: float) -> tuple[float, ...]:
        """Ranges that have data to show: up to the first that holds all there are, and the one chosen."""
        whole = next((r for r in RANGES if r >= recent), RANGES[-1])
        return tuple(r for r in RANGES if r <= max(whole, self.range))

    def choose(self, label: str) -> bool:
        """Choose a range by its label ("30 m"); False when there is none of that name."""
        found = next((r for r in RANGES if label in (short_range(r), f"{r:.0f}")), None)
        if found is None:
            return False
        self.range, self.zoomed, self.chosen = found, None, True
        return True

    def step(self, by: int, recent: float = HOUR) -> bool:
        """The next longer (1) or shorter (-1) range of those that have data; False at the end of the list."""
        ranges = self.ranges(recent)
        at = min(range(len(ranges)), key=lambda i: abs(ranges[i] - self.range)) + by
        if not 0 <= at < len(ranges):
            return False
        self.range, self.zoomed, self.chosen = ranges[at], None, True
        return True

    def shift(self, by: int, present: float, oldest: float) -> bool:
        """One window earlier (-1) or later (1), within [oldest, present]; False when there is nothing there."""
        start, end = self.span(present)
        width = end - start
        if by > 0 and not self.paused:
            return False
        if by > 0 and end + width >= present:
            self.live()
            return True
        if by < 0 and start <= oldest + 1.0:
            return False
        start = max(oldest, start + by * width)
        self.pause(present)
        self.end = start + width
        self.zoomed = (start, start + width) if self.zoomed is not None else None
        return True

    def zoom(self, start: float, end: float, present: float) -> None:
        """Show exactly this span and stand still; data keep arriving."""
        if end < start:
            start, end = end, start
        if end - start < LEAST:
            middle = (start + end) / 2
            start, end = middle - LEAST / 2, middle + LEAST / 2
        self.pause(present)
        self.zoomed = (start, end)

    def zoom_by(self, factor: float, at: float | None, present: float, most: float) -> bool:
        """Zoom round a moment (the end when None). Zooming out beyond the range undoes the zoom; False when it cannot go on."""
        start, end = self.span(present)
        width = end - start
        if factor > 1.0 and self.zoomed is None:
            return self.step(1, most)
        if factor > 1.0 and width * factor >= min(self.range, most) * 0.999:
            self.zoomed = None
            return True
        if factor < 1.0 and width <= LEAST * 1.001:
            return False
        middle = end if at is None or not start <= at <= end else at
        share = (middle - start) / width
        self.zoom(middle - share * width * factor, middle + (1 - share) * width * factor, present)
        return True

    def behind(self, present: float) -> str:
        """`94 s behind · Space resumes`; "" when live."""
        if self.end is None:
            return ""
        _, end = self.span(present)
        late = max(0.0, present - end)
        keys = "L goes live" if self.zoomed is not None or late >= self.range else "Space resumes"
        return f"{duration(late)} behind · {keys}" if late < 3600 else f"{duration(late)} ago · {keys}"
