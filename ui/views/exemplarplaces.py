"""Where exemplars stand on a chart: at their own value where the axis shows such values, else on their line; never outside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ui.views.lines import Span
from ui.views.view import ExemplarMark, Line


def placed(
    marks: Sequence[ExemplarMark], lines: Sequence[Line], x: Span, y: Span, log: bool, on_lines: bool
) -> tuple[ExemplarMark, ...]:
    """The marks with their place on the axis. `y` is log10 of it where `log`; with `on_lines` no value has a place of its own."""
    low, high = (10.0 ** y[0], 10.0 ** y[1]) if log else y
    found = []
    for mark in marks:
        if not x[0] <= mark.at <= x[1]:
            continue
        value = mark.value
        if on_lines or not math.isfinite(value):
            value = _on_line(mark, lines)
        if math.isfinite(value):
            found.append(replace(mark, value=min(max(value, low), high)))
    return tuple(found)


def _on_line(mark: ExemplarMark, lines: Sequence[Line]) -> float:
    """The value of the mark's line, or of the first, next to its time; NaN where there is none."""
    line = next((line for line in lines if line.colour == mark.colour), lines[0] if lines else None)
    if line is None:
        return math.nan
    known = np.isfinite(line.values)
    times, values = line.times[known], line.values[known]
    if not len(times):
        return math.nan
    return float(values[int(np.abs(times - mark.at).argmin())])
