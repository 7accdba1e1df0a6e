"""Chart cards built from tracks: ranges, ticks, thinned lines, gaps, broken thresholds and the sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ui.views.axis import bounds, linear, logarithmic, time_ticks, wants_log
from ui.views.exemplarplaces import placed
from ui.views.format import NO_DATA, Words, against, value
from ui.views.happened import Happened
from ui.views.lines import Span, Track, broken_at, common, finite, holes, pace_now, thin
from ui.views.sentence import Limit, chart_sentence, join, limit_words
from ui.views.units import PLAIN, RATIO, Family, Unit
from ui.views.view import ChartView, ExemplarMark, Floats, Line, Marker, Sentence, Shape, Threshold, Tick, Value

MAX_LINES = 8
EMPTY = np.empty(0)


@dataclass(frozen=True, eq=False, slots=True)
class Chart:
    """What a chart is built from. `x`: (start, end); `interval`: seconds between points at best.

    `subject` follows the number in the sentence ("busy"); `sentence` takes the generated one's place.
    """

    id: str
    title: str
    tracks: tuple[Track, ...]
    x: Span
    words: Words
    interval: float = 1.0
    points: int = 1200
    ticks: int = 7
    y_ticks: int = 6
    limits: tuple[Limit, ...] = ()
    markers: tuple[Marker, ...] = ()
    exemplars: tuple[ExemplarMark, ...] = ()
    """Their values in the base of their unit; NaN: on their line."""
    subject: str = ""
    sentence: Sentence = ()
    empty: str = "No data in this range."
    note: str = ""
    show_last: bool = True
    """Whether the head has the last value of the main line: not where no line is more than the others."""
    ceiling: float | None = None
    """A base value the axis always reaches (100 for a percentage of a whole); None: as high as the data."""


@dataclass(frozen=True, eq=False, slots=True)
class _Ready:
    """A track cut to the range: points with a value, in the unit's base, and its holes."""

    track: Track
    times: Floats
    values: Floats
    gaps: list[Span]
    interval: float


def build(chart: Chart) -> ChartView:
    """The picture of a chart; tolerates no tracks, empty tracks and NaN anywhere."""
    unit, tracks, indexed = common_unit(chart.tracks)
    ready = [_ready(track, unit, chart) for track in tracks]
    drawn, others = _largest(ready)
    shown = [r for r in drawn if len(r.times)]
    interval = max((r.interval for r in shown), default=chart.interval)
    gaps, stale = _gaps(shown, interval, chart)
    main = max(shown, key=lambda r: float(r.values[-1]), default=None) if chart.limits else (shown[0] if shown else None)
    limits = () if indexed else chart.limits
    spans = {limit: _broken(limit, shown, interval) for limit in limits}
    log, y, y_ticks = _axis(shown, limits, unit, chart)
    last = _last(main, limits, stale) if tracks and chart.show_last else Value("")
    lines = tuple(_line(r, chart, stale) for r in drawn)
    return ChartView(
        id=chart.id,
        title=chart.title,
        sentence=_sentence(chart, main, limits, spans, gaps, stale),
        last=last,
        lines=lines,
        x=chart.x,
        y=y,
        x_ticks=time_ticks(chart.x[0], chart.x[1], chart.words, chart.ticks),
        y_ticks=y_ticks,
        log=log,
        threshold=tuple(
            Threshold(limit.value * unit.factor, limit_words(limit, unit, chart.words), limit.shape, limit.draft)
            for limit in limits
            if not log or limit.value > 0
        ),
        markers=chart.markers,
        exemplars=placed(chart.exemplars, lines, chart.x, y, log, indexed),
        gaps=gaps,
        broken=tuple((a, b, limit.shape) for limit in limits if not limit.draft for a, b in spans[limit]),
        others=_envelope(others, chart) if others else None,
        others_count=len(others),
        note=chart.note or (indexed and "Units differ: each line is drawn as a share of its own highest value.") or "",
        empty="" if shown else chart.empty,
        stale=stale,
    )


def common_unit(tracks: Sequence[Track]) -> tuple[Unit, tuple[Track, ...], bool]:
    """The unit of the axis. Where units differ each line becomes a share of its own highest value (True)."""
    if not tracks:
        return PLAIN, (), False
    unit = tracks[0].unit
    if all((t.unit.family, t.unit.per, t.unit.word) == (unit.family, unit.per, unit.word) for t in tracks):
        same = all(t.unit.factor == unit.factor for t in tracks)
        return unit, tuple(tracks) if same else tuple(_refactored(t, unit) for t in tracks), False
    return RATIO, tuple(_indexed(t) for t in tracks), True


def _refactored(track: Track, unit: Unit) -> Track:
    return replace(track, values=track.values * (track.unit.factor / unit.factor), unit=unit)


def _indexed(track: Track) -> Track:
    known = track.values[np.isfinite(track.values)]
    top = float(np.abs(known).max()) if len(known) else 0.0
    return replace(track, values=track.values / top if top else track.values, unit=RATIO)


def _ready(track: Track, unit: Unit, chart: Chart) -> _Ready:
    start, end = chart.x
    first, last = int(track.times.searchsorted(start, "left")), int(track.times.searchsorted(end, "right"))
    gaps = holes(track.times[first:last], track.values[first:last], chart.interval)
    times, values = finite(track.times, track.values, start, end)
    if unit.factor != 1.0:
        values = values * unit.factor
    return _Ready(track, times, values, gaps, pace_now(times, chart.interval))


def _largest(ready: list[_Ready]) -> tuple[list[_Ready], list[_Ready]]:
    crowd = [r for r in ready if r.track.colour == "others"]
    if len(ready) <= MAX_LINES and not crowd:
        return ready, []
    size = {id(r): float(r.values[-1]) if len(r.values) else -math.inf for r in ready}
    order = sorted((r for r in ready if r.track.colour != "others"), key=lambda r: -size[id(r)])
    kept = {id(r) for r in order[:MAX_LINES]}
    return [r for r in ready if id(r) in kept], [r for r in ready if id(r) not in kept and len(r.times)]


def _line(r: _Ready, chart: Chart, stale: bool) -> Line:
    times, values = thin(r.times, r.values, chart.points, chart.x[1] - chart.x[0])
    times, values = broken_at(times, values, r.gaps)
    if times is r.times:  # a view of what the mirror will write to
        times, values = times.copy(), values.copy()
    raw = float(r.values[-1]) / r.track.unit.factor if len(r.values) else None
    last = value(raw, r.track.unit, "unknown" if stale else None)
    track = r.track
    return Line(track.name, times, values, track.colour, last, track.dash, track.full_name or track.name)


def _last(main: _Ready | None, limits: Sequence[Limit], stale: bool) -> Value:
    if main is None:
        return NO_DATA
    raw = float(main.values[-1]) / main.track.unit.factor
    unit = main.track.unit
    limit = next((x for x in limits if not x.draft), None)
    if stale:
        return value(raw, unit, "unknown")
    if limit is None:
        return value(raw, unit)
    return against(raw, limit.value, unit, limit.shape if limit.broken(np.array([raw]))[0] else None)


def _gaps(shown: list[_Ready], interval: float, chart: Chart) -> tuple[tuple[tuple[float, float, str], ...], bool]:
    """Spans in which no line has data, in words, and whether the newest is one of them."""
    words, end = chart.words, chart.x[1]
    spans = common([r.gaps for r in shown])
    named = [(a, b, _hole_words(words, a, b)) for a, b in spans]
    newest = max((float(r.times[-1]) for r in shown), default=end)
    stale = bool(shown) and end - newest > 3.0 * interval * 1.01 + 1.0
    if stale:
        named.append((newest, end, f"No data since {words.clock(newest)}"))
    return tuple(named), stale


def _hole_words(words: Words, start: float, end: float) -> str:
    say = words.clock if end - start < 120.0 else words.minute
    return f"No data from {say(start)} to {say(end)}"


def _broken(limit: Limit, shown: list[_Ready], interval: float) -> list[Span]:
    """Spans in which any line breaks the limit, rising; touching ones are joined."""
    spans: list[Span] = []
    for r in shown:
        hit = limit.broken(r.values / r.track.unit.factor)
        if not hit.any():
            continue
        edge = np.diff(np.concatenate(([False], hit, [False])).astype(np.int8))
        first, last = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1) - 1
        spans.extend((float(r.times[i]), float(r.times[j])) for i, j in zip(first[:512], last[:512], strict=True))
    spans.sort()
    joined: list[Span] = []
    for a, b in spans:
        if joined and a - joined[-1][1] <= interval * 1.5:
            joined[-1] = (joined[-1][0], max(b, joined[-1][1]))
        else:
            joined.append((a, b))
    return joined


def _axis(shown: list[_Ready], limits: Sequence[Limit], unit: Unit, chart: Chart) -> tuple[bool, Span, tuple[Tick, ...]]:
    low, high = bounds((float(r.values.min()), float(r.values.max())) for r in shown)
    if not math.isfinite(low) or not math.isfinite(high):
        low, high = 0.0, 1.0
    for limit in limits:
        bound = limit.value * unit.factor
        if math.isfinite(bound) and (not shown or abs(bound) <= 20.0 * max(abs(high), 1e-12) or wants_log(low, bound, unit)):
            low, high = min(low, bound), max(high, bound)
    if wants_log(low, high, unit):
        y, ticks = logarithmic(low, high, unit, chart.y_ticks)
        return True, y, ticks
    if low > 0.0 and not _is_level(low, high, unit):
        low = 0.0
    if chart.ceiling is not None:
        high = max(high, chart.ceiling)
    y, ticks = linear(low, high if high > low else low + (abs(low) or 1.0), unit, chart.y_ticks)
    return False, y, ticks


def _is_level(low: float, high: float, unit: Unit) -> bool:
    """A plain reading far from zero that hardly moves (a temperature, a position): zero would flatten it."""
    return unit.family is Family.NUMBER and not unit.per and high > low and (high - low) < 0.15 * high


def _sentence(
    chart: Chart,
    main: _Ready | None,
    limits: Sequence[Limit],
    spans: dict[Limit, list[Span]],
    gaps: tuple[tuple[float, float, str], ...],
    stale: bool,
) -> Sentence:
    if main is None:
        return ()
    newest = float(main.times[-1])
    if stale:
        shown = chart.words.say(float(main.values[-1]) / main.track.unit.factor, main.track.unit)
        return join((f"No data since {chart.words.clock(newest)}.", True), f" It was {shown} then.")
    raw = replace(main.track, times=main.times, values=main.values / main.track.unit.factor)
    limit = next((x for x in limits if not x.draft), limits[0] if limits else None)
    words = chart.sentence or chart_sentence(
        raw, newest, chart.words, subject=chart.subject, limit=limit, broken=spans.get(limit, []) if limit else None
    )
    return words + join(" ", (f"{gaps[-1][2]}.", True)) if gaps else words


def _envelope(others: list[_Ready], chart: Chart) -> tuple[Floats, Floats, Floats] | None:
    count = max(2, min(chart.points // 2, 300))
    grid = np.linspace(chart.x[0], chart.x[1], count)
    stack = np.array([np.interp(grid, r.times, r.values, left=np.nan, right=np.nan) for r in others])
    known = np.isfinite(stack).any(0)
    if not known.any():
        return None
    stack = stack[:, known]
    return grid[known], np.fmin.reduce(stack, 0), np.fmax.reduce(stack, 0)


class Charts:
    """Keeps the last picture of each chart, so that one that did not change is the same object with the same revision."""

    def __init__(self, happened: Happened | None = None) -> None:
        """`happened`: what is marked on all of them."""
        self._happened = happened
        self._held: dict[str, tuple[object, ChartView]] = {}
        self._revision = 0

    def get(self, name: str, key: object, make: Callable[[], Chart]) -> ChartView:
        """The chart of this name; built anew only when `key` (anything comparable) is another one than last time."""
        key = (key, self._happened.newest if self._happened else 0)
        held = self._held.get(name)
        if held is not None and held[0] == key:
            return held[1]
        self._revision += 1
        view = replace(build(make()), revision=self._revision)
        if self._happened is not None and (marks := self._happened.within(*view.x)):
            view = replace(view, markers=view.markers + marks)
        if len(self._held) > 64:
            self._held.clear()
        self._held[name] = (key, view)
        return view


def shape_of(severity: str) -> Shape:
    """The shape of a severity sent by a collector; an unknown word is shown as a warning."""
    return severity if severity in ("critical", "warning", "info") else "warning"  # type: ignore[return-value]
