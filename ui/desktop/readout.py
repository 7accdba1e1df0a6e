"""What lies under the crosshair: each line's value there, in the words of the value axis."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ui.desktop.envelope import nearest
from ui.views.format import number
from ui.views.view import ChartView, Line

_NUMBER = re.compile(r"^[−-]?[\d,]*\.?\d+")
_ELSEWHERE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """Lines with their raw value at a moment."""

    view: ChartView
    points: tuple[tuple[Line, float], ...]

    @classmethod
    def of(cls, view: ChartView, at: float) -> Readout:
        """Only samples near the moment count: beyond a few intervals there is no value there, and none is invented."""
        points = []
        for line in view.lines:
            found = nearest(line.times, at)
            if found < 0:
                continue
            interval = (line.times[-1] - line.times[0]) / max(1, len(line.times) - 1)
            value = float(line.values[found])
            if value == value and abs(line.times[found] - at) <= max(_ELSEWHERE * interval, 1.0):
                points.append((line, value))
        return cls(view, tuple(points))

    def rows(self) -> list[tuple[Line, str]]:
        """Largest first, each with its value in words."""
        return [(line, self.words(value)) for line, value in sorted(self.points, key=lambda point: -point[1])]

    def words(self, value: float) -> str:
        """A value in the prefix of the nearest tick, so that axis and readout speak of the same thing."""
        ticks = [(10.0**tick.at if self.view.log else tick.at, tick.label) for tick in self.view.y_ticks]
        ticks = [(at, label) for at, label in ticks if at != 0.0 and _NUMBER.match(label)]
        if not ticks:
            return number(value)
        # The largest tick not above the value: 0.4 s between 100 ms and 1 s is 400 ms.
        at, label = min(ticks, key=lambda tick: (abs(tick[0]) > abs(value), abs(abs(value) - abs(tick[0]))))
        digits = _NUMBER.match(label)
        assert digits is not None
        shown = float(digits[0].replace(",", "").replace("−", "-"))
        if not shown:
            return number(value)
        return f"{number(value * shown / at)}{label[digits.end() :]}"
