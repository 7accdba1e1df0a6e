"""The chart of Explore's queries: a track a series, a colour family a query, the largest as lines and the rest as an envelope."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from monitor.model.matchers import NAME_TAG
from ui.views.chart import MAX_LINES, Chart
from ui.views.context import Context
from ui.views.format import plural, sanitise, value
from ui.views.lines import Track
from ui.views.queries import Query
from ui.views.queryanswers import Held, Labels
from ui.views.querytext import shortened
from ui.views.sentence import chart_sentence, join
from ui.views.units import Unit
from ui.views.view import ChartView, Floats, Sentence

DASHES = (0, 5, 4, 6, 7)
"""Dashes that tell the lines of one query apart, where several queries share the palette."""


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
        return [sanitise(own.get(NAME_TAG, "") or ", ".join(own.values()) or alone, 48)]
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
    """Makes the chart. Remembers which line had which colour, so that a line keeps it while it is among the largest."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._places: dict[int, dict[Labels, int]] = {}

    def chart(self, shown: list[Shown], step: float, at: float | None, empty: str, note: str) -> ChartView:
        """All queries on one axis."""
        ctx = self.ctx
        answered = [one for one in shown if one.held is not None and one.held.result is not None]
        numbers = tuple((one.query.slot, one.held.number if one.held else 0, one.unit) for one in answered)

        def make() -> Chart:
            tracks = self._tracks(answered)
            return Chart(
                id="queries",
                title=self._title(shown),
                tracks=tracks,
                x=ctx.span(),
                words=ctx.words,
                # A value at every step there is: one step without is a gap, as the language says.
                interval=0.4 * step,
                points=ctx.profile.points,
                ticks=ctx.profile.ticks + 1,
                y_ticks=ctx.profile.y_ticks + 1,
                sentence=self._sentence(tracks),
                empty=empty,
                note=note,
            )

        key = (numbers, ctx.span(), ctx.profile, ctx.words, step, empty, note, len(shown))
        return ctx.charts.get("queries", key, make)

    def _title(self, shown: list[Shown]) -> str:
        if len(shown) == 1:
            return shortened(shown[0].query.running, 90)
        return plural(len(shown), "query", "queries") if shown else "Nothing asked yet"

    def _tracks(self, answered: list[Shown]) -> tuple[Track, ...]:
        """Lines of all queries; of more than eight the eight largest have colours and names, the rest is drawn as one ground."""
        room = self._shares([len(one.held.labels) if one.held else 0 for one in answered])
        tracks: list[Track] = []
        for one, most in zip(answered, room, strict=True):
            if one.held is not None:
                tracks += self._tracks_of(one, one.held, most, alone=len(answered) == 1)
        return tuple(tracks)

    @staticmethod
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

    def _tracks_of(self, one: Shown, held: Held, most: int, alone: bool) -> list[Track]:
        key = (most, alone, one.unit, one.query.slot)
        if key not in held.tracks:
            held.tracks.clear()
            held.tracks[key] = tuple(self._made(one, held, most, alone))
        return list(held.tracks[key])

    def _made(self, one: Shown, held: Held, most: int, alone: bool) -> list[Track]:
        labels, rows = held.labels, held.rows
        last = newest(rows)
        order = np.argsort(-np.where(np.isfinite(last), last, -math.inf), kind="stable")
        largest = sorted(order[:most].tolist())
        places = self._placed(one.query.slot, [labels[i] for i in largest], most)
        names = series_names(labels, one.query.letter)
        rest = [i for i in range(len(labels)) if i not in set(largest)]
        tracks = []
        for i in largest:
            colour, dash = line_style(one.query.slot, places[labels[i]], alone)
            name = names[i] if alone else f"{one.query.letter} {names[i]}"
            tracks.append(Track(name, held.times, rows[i], one.unit, colour, dash, full_name(labels[i])))
        return tracks + [Track(names[i], held.times, rows[i], one.unit, "others", 0, full_name(labels[i])) for i in rest]

    def _placed(self, slot: int, labels: list[Labels], most: int) -> dict[Labels, int]:
        """A place for each line: those that had one keep it, the others get what is free."""
        held = self._places.get(slot, {})
        kept = {one: held[one] for one in labels if held.get(one, most) < most}
        free = [i for i in range(most) if i not in kept.values()]
        for one in labels:
            if one not in kept:
                kept[one] = free.pop(0)
        self._places[slot] = kept
        return kept

    def colour_of(self, slot: int, labels: Labels, alone: bool) -> str:
        """The colour a series is drawn in, "" where it has no line of its own."""
        place = self._places.get(slot, {}).get(labels)
        return line_style(slot, place, alone)[0] if place is not None else ""

    def _sentence(self, tracks: tuple[Track, ...]) -> Sentence:
        """Of one line its level beside the past; of several which is highest and which lowest."""
        known = [(float(newest(t.values[np.newaxis])[0]), t) for t in tracks]
        known = [(last, t) for last, t in known if math.isfinite(last)]
        words = self.ctx.words
        if not known:
            return ()
        if len(known) == 1:
            return chart_sentence(known[0][1], float(known[0][1].times[-1]), words)
        if len({(t.unit.family, t.unit.per, t.unit.word) for _, t in known}) > 1:
            parts = ", ".join(f"{t.name} {words.text(value(last, t.unit))}" for last, t in known[:4])
            return join((f"{parts}.", True))
        top, low = max(known, key=lambda k: k[0]), min(known, key=lambda k: k[0])
        of = f", the highest of {len(known)}" if len(known) > 2 else ""
        return join(
            (f"{words.say(top[0], top[1].unit)} for {top[1].name}", True),
            f"{of}; the lowest is {words.say(low[0], low[1].unit)} for {low[1].name}.",
        )


def line_style(slot: int, place: int, alone: bool) -> tuple[str, int]:
    """Colour and dash of a query's line by its place: a query alone has the whole palette, several have a colour each."""
    if alone:
        number = (slot + place) % 8 + 1
        return f"series-{number}", number - 1 if number > 4 else 0
    dash = DASHES[place % len(DASHES)]
    return f"series-{slot + 1}", dash or (slot if slot > 3 else 0)
