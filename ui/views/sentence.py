"""What a chart says in plain words: the level now, beside the recent past and beside its limit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.alerting.model import Comparison
from ui.views.format import Words, comparison, duration
from ui.views.lines import Span, Track, level
from ui.views.units import PLAIN, Family, Unit
from ui.views.view import Floats, Sentence, Shape, Text

THIN_SECONDS = 300.0
SIDES: dict[Comparison, str] = {"gt": "above", "gte": "at or above", "lt": "below", "lte": "at or below", "eq": "at", "ne": "off"}
OTHER_SIDES: dict[Comparison, str] = {"gt": "below", "gte": "below", "lt": "above", "lte": "above", "eq": "off", "ne": "at"}


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold to draw and to speak of; `value` raw, in the unit of the series."""

    value: float
    operator: Comparison = "gt"
    shape: Shape = "warning"
    label: str = ""
    draft: bool = False

    def broken(self, values: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """bool[n]: where the condition holds (NaN: nowhere)."""
        with np.errstate(invalid="ignore"):
            result: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = _HOLDS[self.operator](values, self.value)
        return result & np.isfinite(values)


_HOLDS = {
    "gt": np.greater,
    "gte": np.greater_equal,
    "lt": np.less,
    "lte": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}


def join(*parts: tuple[str, bool] | str) -> Sentence:
    """A sentence of runs: (text, strong) or plain text."""
    return tuple(Text(*part) if isinstance(part, tuple) else Text(part) for part in parts if part and part[0])


def limit_words(limit: Limit, unit: Unit, words: Words) -> str:
    """`limit 1 %`, or the label the limit came with."""
    return limit.label or f"limit {words.say(limit.value, unit)}"


def broken_for(limit: Limit, track: Track, spans: list[Span]) -> float | None:
    """For how many seconds the condition has held without a break up to the newest point; None when it does not hold now."""
    if not spans or not len(track.times):
        return None
    start, end = spans[-1]
    known = np.flatnonzero(np.isfinite(track.values))
    if not len(known) or end < float(track.times[known[-1]]):
        return None
    return float(track.times[known[-1]]) - start


def chart_sentence(
    track: Track, now: float, words: Words, *, subject: str = "", limit: Limit | None = None, broken: list[Span] | None = None
) -> Sentence:
    """The sentence of a chart's main line. `subject` follows the number ("busy"); `now` is the newest point's time."""
    known = np.flatnonzero(np.isfinite(track.values))
    if not len(known):
        return ()
    last = float(track.values[known[-1]])
    shown = f"{words.say(last, track.unit)}{' ' + subject if subject else ''}"
    if limit is not None and math.isfinite(limit.value):
        return _beside_limit(track, shown, last, limit, broken or [], words)
    lasted = float(track.times[known[-1]] - track.times[known[0]])
    if lasted < THIN_SECONDS:
        return join(f"{shown}. ", (f"Only {thin_words(lasted)} of data so far.", True))
    return join(*beside_past(track, shown, last, now, lasted))


def thin_words(seconds: float) -> str:
    """`40 s`, `2 min`: how long the data are, steady for a minute at a time."""
    return f"{int(seconds // 60)} min" if seconds >= 60 else duration(math.floor(seconds / 10) * 10 or math.floor(seconds))


def _beside_limit(track: Track, shown: str, last: float, limit: Limit, broken: list[Span], words: Words) -> Sentence:
    bound = words.say(limit.value, track.unit)
    lasting = broken_for(limit, track, broken)
    if lasting is not None:
        side = SIDES[limit.operator]
        start, _ = broken[-1]
        whole = start <= float(track.times[0]) + 1.0
        shown_time = f"over {duration(lasting // 60 * 60)}" if whole and lasting > 60 else duration(lasting)
        time = f"for {shown_time}" if lasting >= 1.0 else "now"
        factor = last / limit.value if limit.value else 0.0
        much = f", {comparison(last, limit.value, 'the limit', track.unit)}" if factor >= 2.0 and limit.operator[0] == "g" else ""
        return join((shown, True), f"; {side} the {bound} limit {time}{much}.")
    if not broken:
        return join((shown, True), f", {OTHER_SIDES[limit.operator]} the {bound} limit.")
    return join((shown, True), f", {OTHER_SIDES[limit.operator]} the {bound} limit since {words.minute(broken[-1][1])}.")


def beside_past(track: Track, shown: str, last: float, now: float, lasted: float) -> list[tuple[str, bool] | str]:
    """The level now against that of an hour, a quarter or five minutes ago, whichever the data reach; calm when it is usual."""
    width = max(10.0, lasted / 60.0)
    present = level(track.times, track.values, now, 2 * width)
    span = min(lasted, 1800.0)
    first = int(track.times.searchsorted(now - span))
    part = track.values[first:]
    part = part[np.isfinite(part)]
    if math.isfinite(present) and len(part) > 5 and usual(present, part, track.unit):
        return [(shown, True), f", about as usual over the last {max(1, round(span / 60))} min."]
    for seconds, when in ((3600.0, "1 h ago"), (900.0, "15 min ago"), (300.0, "5 min ago")):
        if lasted >= seconds - width:
            then = level(track.times, track.values, now - seconds, 2 * width)
            text = comparison(last if math.isnan(present) else present, then, when, track.unit)
            if text:
                return [f"{shown}, ", (text, True), "."]
    return [(shown, True), "."]


def usual(present: float, past: Floats, unit: Unit = PLAIN) -> bool:
    """Whether a level lies within what the past half hour held most of the time, or close to its middle."""
    n = len(past) - 1
    at = (n // 10, n // 2, n - n // 10)
    ordered = np.partition(past, at)
    low, middle, high = (float(ordered[i]) for i in at)
    slack = 0.1 * abs(middle) + (1.0 if unit.family is Family.PERCENT and unit.factor == 1.0 else 0.0)
    return min(low, middle - slack) <= present <= max(high, middle + slack)
