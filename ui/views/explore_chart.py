"""What Explore draws of the series picked: the chart, its table of figures and the values under the crosshair."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from monitor.model.series import SeriesInfo, SeriesKey
from ui.views.chart import Chart, shape_of
from ui.views.context import Context
from ui.views.exemplars import Asked, Exemplars, shows_own
from ui.views.feeds import Feed, Wish
from ui.views.format import duration, plural, sanitise, value
from ui.views.index import line_name
from ui.views.lines import Track, finite, nearest
from ui.views.querytext import selector_text
from ui.views.sentence import Limit
from ui.views.units import field_of, unit_of
from ui.views.view import ChartView, ExemplarMark, Value


@dataclass(frozen=True, slots=True)
class Pick:
    """A series on the chart and the number of its colour."""

    key: SeriesKey
    colour: int


Drawn = tuple[Pick, SeriesInfo | None, Feed | None]
"""A pick with its series and feed; None while the collector does not have the series."""


class PickedChart:
    """The series picked, with one field over one window."""

    def __init__(
        self,
        ctx: Context,
        picked: list[Pick],
        field: str,
        window: float,
        at: float | None,
        exemplars: Exemplars | None = None,
    ) -> None:
        self.ctx = ctx
        self.exemplars = exemplars
        self.picked = picked
        self.field = field
        self.window = window
        self.at = at
        rows = [ctx.mirror.row_of(p.key) for p in picked]
        infos = [ctx.mirror.series.get(row) if row is not None else None for row in rows]
        self.feeds: list[Drawn] = [(pick, info, self._feed(info)) for pick, info in zip(picked, infos, strict=True)]

    def _feed(self, info: SeriesInfo | None) -> Feed | None:
        if info is None:
            return None
        selector = str(self.ctx.index.selector(info))
        backfill, step = self.ctx.reach()
        return self.ctx.feed(Wish(selector, (self.field,), self.window, backfill=backfill, step=step, track=True))

    def _track(self, pick: Pick, info: SeriesInfo, feed: Feed) -> Track:
        times, values = feed.track(info.row, self.field)
        label = line_name(info.key, [p.key for p in self.picked])
        colour, dash = f"series-{pick.colour}", pick.colour - 1 if pick.colour > 4 else 0
        return Track(label, times, values, unit_of(info, self.field), colour, dash, sanitise(info.key.label()))

    def chart(self) -> ChartView:
        """All lines on one axis."""
        ctx = self.ctx
        known = [(pick, info, feed) for pick, info, feed in self.feeds if info is not None and feed is not None]

        limits = self._limits(known[0][1]) if len(known) == 1 else ()
        marks = self._marks([(pick, info) for pick, info, _ in known])

        def make() -> Chart:
            tracks = tuple(self._track(*entry) for entry in known)
            title = sanitise(known[0][1].key.name, 80) if known else "Nothing picked"
            if len({info.key.name for _, info, _ in known}) > 1:
                title = plural(len(known), "series", "series")
            return Chart(
                id="explore",
                title=f"{title}, {self._field_words(known[0][1])}" if known else title,
                tracks=tracks,
                x=ctx.span(),
                words=ctx.words,
                interval=ctx.interval,
                points=ctx.profile.points,
                ticks=ctx.profile.ticks + 1,
                y_ticks=ctx.profile.y_ticks + 1,
                subject=f"for {tracks[0].name}" if len(tracks) > 1 else "",
                limits=limits,
                exemplars=marks,
                empty=self._empty(bool(known)),
            )

        versions = tuple((pick, feed.version) for pick, _, feed in known)
        key = (versions, limits, marks, ctx.span(), ctx.profile, ctx.words, self.field, self.window, len(self.feeds))
        return ctx.charts.get("explore", key, make)

    def _marks(self, known: list[tuple[Pick, SeriesInfo]]) -> tuple[ExemplarMark, ...]:
        if self.exemplars is None:
            return ()
        return self.exemplars.marks(
            [
                Asked(
                    selector_text(self.ctx.index.selector(info)),
                    f"series-{pick.colour}",
                    unit_of(info, self.field),
                    shows_own(info.kind, self.field),
                )
                for pick, info in known
            ]
        )

    def tracks(self) -> tuple[Track, ...]:
        """The lines as they are, not thinned."""
        return tuple(self._track(p, info, feed) for p, info, feed in self.feeds if info is not None and feed is not None)

    def _limits(self, info: SeriesInfo) -> tuple[Limit, ...]:
        """The limits of rules that judge just this: the series, the field and the window."""
        book, words = self.ctx.book, self.ctx.words
        found: list[Limit] = []
        for alert in book.of_series(info.key):
            rule = book.rules.get(alert.rule_id)
            if rule is None or book.field(alert) != field_of(info.kind, self.field) or rule.condition.window != self.window:
                continue
            label = f"{book.title(alert)}: {words.text(value(alert.threshold, unit_of(info, self.field)))}"
            found.append(Limit(alert.threshold, alert.operator, shape_of(alert.severity), label))
        return tuple(found[:3])

    def _field_words(self, info: SeriesInfo) -> str:
        field = field_of(info.kind, self.field)
        if field in ("last", "age"):
            return {"last": "last value", "age": "age of the last value"}[field]
        return f"{field.replace('_', ' ')} over {duration(self.window)}"

    def _empty(self, known: bool) -> str:
        if known:
            error = next((f.subscription.error for _, _, f in self.feeds if f is not None and f.subscription.error), "")
            return sanitise(error) or "No data in this range."
        return "The series picked are gone." if self.feeds else "Pick a series: Enter or X puts it on the chart."

    def _whole_name(self, info: SeriesInfo) -> str:
        return f"{sanitise(info.key.name, 80)} {self.ctx.index.tags_text(info)}".strip()

    def figures(self, pick: Pick, info: SeriesInfo | None, feed: Feed | None) -> tuple[str, str, Value, Value, Value, Value]:
        """Last, min, mean and max over the range shown."""
        colour = f"series-{pick.colour}"
        if info is None or feed is None:
            nothing = value(None)
            return sanitise(pick.key.label(), 120), colour, nothing, nothing, nothing, nothing
        _, values = finite(*feed.track(info.row, self.field), *self.ctx.span())
        unit = unit_of(info, self.field)
        figures = (values[-1], values.min(), values.mean(), values.max()) if len(values) else (math.nan,) * 4
        last, low, mean, high = (value(float(x), unit) for x in figures)
        name = line_name(info.key, [p.key for p in self.picked]) if len(self.picked) > 1 else self._whole_name(info)
        return name, colour, last, low, mean, high

    def readout(
        self, of_queries: Callable[[float], tuple[tuple[str, str, Value], ...]] | None
    ) -> tuple[str, tuple[tuple[str, str, Value], ...]] | None:
        """When, and each line's (name, colour, value) there; None without a crosshair."""
        if self.at is None:
            return None
        keys = [p.key for p in self.picked]
        rows = list(of_queries(self.at)) if of_queries is not None else []
        for pick, info, feed in self.feeds:
            if info is None or feed is None:
                continue
            reading = nearest(*feed.track(info.row, self.field), self.at, 3.0 * self.ctx.interval)
            rows.append((line_name(info.key, keys), f"series-{pick.colour}", value(reading, unit_of(info, self.field))))
        present = self.ctx.present()
        ago = max(0.0, present - self.at)
        words = f"{self.ctx.words.moment(self.at, present, seconds=True)} · {duration(math.floor(ago))} ago"
        return words, tuple(rows)
