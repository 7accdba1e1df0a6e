"""The charts of Explore's queries: a chart a unit, a track a series, the largest as lines and the rest as an envelope."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from monitor.model.matchers import NAME_TAG
from ui.views.chart import MAX_LINES, Chart
from ui.views.context import Context
from ui.views.exemplars import Asked, Exemplars
from ui.views.format import sanitise
from ui.views.index import WHERE
from ui.views.lines import Track
from ui.views.queries import Query
from ui.views.queryanswers import Held, Labels
from ui.views.querytext import shortened
from ui.views.sentence import chart_sentence, join
from ui.views.units import Unit
from ui.views.view import ChartView, ExemplarMark, Floats, Sentence

OBSERVED = ("histogram_quantile", "histogram_avg")
"""Functions whose values are of the kind that is observed, as an exemplar's is."""
MOST_CHARTS = 4
"""Units that are drawn at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A query with its answer and the unit of its values."""

    query: Query
    held: Held | None
    unit: Unit


def series_names(labels: tuple[Labels, ...], alone: str) -> list[str]:
    """What tells the series of an answer apart: the values of the labels that differ; `alone` where there is one only."""
    if len(labels) == 1:
        own = dict(labels[0])
        where = next((own[name] for name in WHERE if name in own), "")
        return [sanitise(own.get(NAME_TAG, "") or where or ", ".join(own.values()) or alone, 48)]
    shared = functools.reduce(lambda a, b: a & b, (set(one) for one in labels)) if labels else set()
    return [sanitise(", ".join(v for pair in one if pair not in shared for v in pair[1:]) or alone, 48) for one in labels]


def full_name(labels: Labels) -> str:
    """A series as PromQL writes it."""
    name = dict(labels).get(NAME_TAG, "")
    rest = ", ".join(f'{key}="{text}"' for key, text in labels if key != NAME_TAG)
    return sanitise(name + (f"{{{rest}}}" if rest or not name else ""), 400)


def newest(rows: Floats) -> Floats:
    """float64 [S]: the last value of each row that is one, NaN where none is."""
    if not rows.size:
        return np.full(len(rows), np.nan)
    known = np.isfinite(rows)
    last = rows.shape[1] - 1 - known[:, ::-1].argmax(1)
    return np.where(known.any(1), rows[np.arange(len(rows)), last], np.nan)


class QueryChart:
    """Makes the charts. Remembers which line had which colour, so that a line keeps it while it is among the largest."""

    def __init__(self, ctx: Context, exemplars: Exemplars | None = None) -> None:
        self.ctx = ctx
        self.exemplars = exemplars
        self._colours: dict[tuple[int, Labels], int] = {}

    def charts(self, shown: list[Shown], step: float, empty: str, note: str) -> tuple[ChartView, ...]:
        """One chart a unit, under one crosshair: two scales beside one plot would draw any correlation one likes."""
        answered = [one for one in shown if one.held is not None and one.held.result is not None]
        drawn = self._drawn(answered)
        marks = self._marks(answered)
        groups: dict[object, list[Shown]] = {}
        for one in answered:
            groups.setdefault((one.unit.family, one.unit.per, one.unit.word), []).append(one)
        kept = list(groups.values())[:MOST_CHARTS] or [[]]
        if len(groups) > MOST_CHARTS:
            left = ", ".join(one.query.letter for group in list(groups.values())[MOST_CHARTS:] for one in group)
            note = f"{note} {left} not drawn: too many units. Hide others with H.".strip()
        letters = len(shown) > 1
        return tuple(
            self._chart(
                place, group, drawn, step, empty, note if not place else "", self._title(group or shown, letters), letters, marks
            )
            for place, group in enumerate(kept)
        )

    def _chart(
        self,
        place: int,
        group: list[Shown],
        drawn: dict[int, dict[int, int]],
        step: float,
        empty: str,
        note: str,
        title: str,
        letters: bool,
        marks: tuple[ExemplarMark, ...],
    ) -> ChartView:
        ctx = self.ctx
        numbers = tuple((one.query.slot, one.held.number if one.held else 0, one.unit) for one in group)
        colours = tuple(tuple(drawn[one.query.slot].items()) for one in group)
        mine = tuple(mark for mark in marks if mark.colour in {one.query.colour for one in group})

        def make() -> Chart:
            tracks = tuple(
                t for one in group if one.held is not None for t in _tracks(one, one.held, drawn[one.query.slot], letters)
            )
            return Chart(
                id=f"queries-{place}" if place else "queries",
                title=title,
                tracks=tracks,
                x=ctx.span(),
                words=ctx.words,
                # A value at every step there is: one step without is a gap, as the language says.
                interval=0.4 * step,
                points=ctx.profile.points,
                ticks=ctx.profile.ticks + 1,
                y_ticks=ctx.profile.y_ticks + (0 if place else 1),
                sentence=self._sentence(tracks),
                exemplars=mine,
                empty=empty,
                note=note,
                show_last=len(tracks) == 1,
            )

        key = (numbers, colours, mine, ctx.span(), ctx.profile, ctx.words, step, empty, note, title, letters)
        return ctx.charts.get(f"queries-{place}", key, make)

    def _marks(self, answered: list[Shown]) -> tuple[ExemplarMark, ...]:
        if self.exemplars is None:
            return ()
        asked = [
            Asked(one.query.running, one.query.colour, one.unit, any(word in one.query.running for word in OBSERVED))
            for one in answered
        ]
        return self.exemplars.marks(asked)

    @staticmethod
    def _title(group: list[Shown], letters: bool) -> str:
        if len(group) == 1:
            return f"{group[0].query.letter}  " * letters + shortened(group[0].query.running, 90)
        return ", ".join(one.query.letter for one in group) or "Nothing asked yet"

    # ------------------------------------------------------------ lines and colours

    def _drawn(self, answered: list[Shown]) -> dict[int, dict[int, int]]:
        """Rows that are lines of their own with the numbers of their colours, by slot: the largest, eight in all."""
        rows: dict[int, list[int]] = {}
        for one, most in zip(answered, _shares([len(one.held.labels) if one.held else 0 for one in answered]), strict=True):
            last = newest(one.held.rows) if one.held is not None else np.empty(0)
            order = np.argsort(-np.where(np.isfinite(last), last, -math.inf), kind="stable")
            rows[one.query.slot] = sorted(order[:most].tolist())
        self._colours = self._given(answered, rows)
        return {
            one.query.slot: {i: self._colours[one.query.slot, one.held.labels[i]] for i in rows[one.query.slot]}
            for one in answered
            if one.held is not None
        }

    def _given(self, answered: list[Shown], rows: dict[int, list[int]]) -> dict[tuple[int, Labels], int]:
        """A colour for each line: each query's own for one of its lines, and for the rest the ones they had, or what is free."""
        lines = [(one.query.slot, one.held.labels[i]) for one in answered if one.held is not None for i in rows[one.query.slot]]
        given: dict[tuple[int, Labels], int] = {}
        for slot in rows:
            own = [line for line in lines if line[0] == slot]
            holder = next((line for line in own if self._colours.get(line) == slot + 1), own[0] if own else None)
            if holder is not None:
                given[holder] = slot + 1
        for line in lines:
            if line not in given and self._colours.get(line, 0) not in (0, *given.values()):
                given[line] = self._colours[line]
        free = [number for number in range(1, MAX_LINES + 1) if number not in given.values()]
        for line in lines:
            if line not in given:
                given[line] = free.pop(0)
        return given

    @property
    def colours(self) -> tuple[tuple[tuple[int, Labels], int], ...]:
        """All colours that are given."""
        return tuple(self._colours.items())

    def colour_of(self, slot: int, labels: Labels) -> str:
        """The colour a series is drawn in, "" where it has no line of its own."""
        number = self._colours.get((slot, labels))
        return f"series-{number}" if number is not None else ""

    # ------------------------------------------------------------ words

    def _sentence(self, tracks: tuple[Track, ...]) -> Sentence:
        """Of one line its level beside the past; of several which is highest and which lowest."""
        words = self.ctx.words
        known = [(float(newest(t.values[np.newaxis])[0]), t) for t in tracks]
        known = [(last, t) for last, t in known if math.isfinite(last)]
        if not known:
            return ()
        if len(known) == 1:
            return chart_sentence(known[0][1], float(known[0][1].times[-1]), words)
        top, low = max(known, key=lambda k: k[0]), min(known, key=lambda k: k[0])
        of = f", the highest of {len(known)}" if len(known) > 2 else ""
        return join(
            (f"{words.say(top[0], top[1].unit)} for {top[1].name}", True),
            f"{of}; the lowest is {words.say(low[0], low[1].unit)} for {low[1].name}.",
        )


def _shares(counts: list[int]) -> list[int]:
    """How many lines each query may have: all of them as long as there is room, else a fair share."""
    shares = [0] * len(counts)
    left = MAX_LINES
    while left and any(share < count for share, count in zip(shares, counts, strict=True)):
        for i, count in enumerate(counts):
            if left and shares[i] < count:
                shares[i] += 1
                left -= 1
    return shares


def _tracks(one: Shown, held: Held, colours: dict[int, int], letters: bool) -> tuple[Track, ...]:
    """The lines of one answer, then what is drawn as one ground; made once an answer."""
    key = (tuple(colours.items()), one.unit, letters)
    if key not in held.tracks:
        held.tracks.clear()
        held.tracks[key] = _made(one, held, colours, letters)
    return held.tracks[key]


def _made(one: Shown, held: Held, colours: dict[int, int], letters: bool) -> tuple[Track, ...]:
    names = series_names(held.labels, one.query.letter)
    order = [*colours, *(i for i in range(len(held.labels)) if i not in colours)]
    tracks = []
    for i in order:
        number = colours.get(i, 0)
        name = f"{one.query.letter} {names[i]}" if letters else names[i]
        colour, dash = (f"series-{number}", number - 1 if number > 4 else 0) if number else ("others", 0)
        tracks.append(Track(name, held.times, held.rows[i], one.unit, colour, dash, full_name(held.labels[i])))
    return tuple(tracks)
