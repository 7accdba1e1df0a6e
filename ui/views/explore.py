"""Explore: find any series, chart up to eight of them over any window and field, read values under the crosshair."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.model.series import Kind, SeriesInfo, SeriesKey
from monitor.windows.frame import is_field
from ui.views import filter as filters
from ui.views.alertbook import worst
from ui.views.chart import Chart
from ui.views.context import Context
from ui.views.feeds import Feed, Wish
from ui.views.format import duration, plural, sanitise, short_range, value
from ui.views.index import line_name, tags_text
from ui.views.lines import Track, finite, nearest, spark
from ui.views.page import PageModel, moved
from ui.views.units import PER_SECOND, field_of, unit_of
from ui.views.view import ChartView, EmptyState, ExploreView, SeriesRow, Value

MAX_PICKED = 8
MAX_LISTED = 500
"""Results a person can walk through; beyond that a search is quicker."""
SHOWN = 100
"""Results made into rows until the cursor goes further."""
FIELDS: dict[Kind, tuple[str, ...]] = {
    Kind.GAUGE: ("value", "last", "min", "max", "mean", "count", "age"),
    Kind.COUNTER: ("value", "rate", "per_minute", "sum", "count"),
    Kind.DISTRIBUTION: ("value", "p50", "p90", "p95", "p99", "mean", "min", "max", "rate", "count"),
    Kind.SET: ("value", "unique", "count", "rate"),
}
"""Fields that mean something for a kind; "value" is the kind's own."""
NO_SPARK = np.empty(0)
REGIONS = ("results", "picked")


@dataclass(frozen=True, slots=True)
class Pick:
    """A series on the chart and the number of its colour."""

    key: SeriesKey
    colour: int


class Explore(PageModel):
    name = "explore"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.search = ""
        self.cursor = 0
        self.region = "results"
        self.picked: list[Pick] = []
        self.window = 0.0
        self.field = "value"
        self.at: float | None = None
        self.make_rule: Callable[[SeriesInfo, str, float], None] = lambda info, field, window: None
        self._filter = filters.Filter()
        self._error = ""
        self._hint: tuple[object, str] = (None, "")
        self.handlers = {
            "cursor.down": lambda: self.move(1),
            "cursor.up": lambda: self.move(-1),
            "open": self.open,
            "mark": self.open,
            "region.next": self._next_region,
            "region.previous": self._next_region,
            "explore.window": self._next_window,
            "explore.field": self._next_field,
            "explore.clear": self._clear,
            "explore.rule": self._rule,
            "crosshair.left": lambda: self._step_crosshair(-1),
            "crosshair.right": lambda: self._step_crosshair(1),
            "zoom.in": lambda: self._zoom(0.5),
            "zoom.out": lambda: self._zoom(2.0),
        }

    # ------------------------------------------------------------ state

    def results(self) -> list[SeriesInfo]:
        """Series the search lets pass."""
        return self.ctx.index.search(self._filter)

    def _count(self) -> int:
        return min(MAX_LISTED, len(self.results())) if self.region == "results" else len(self.picked)

    def move(self, by: int) -> None:
        self.cursor = moved(self.cursor, by, self._count())

    def _next_region(self) -> None:
        self.region = REGIONS[1 - REGIONS.index(self.region)]
        self.cursor = 0

    def point(self, what: str, index: int) -> bool:
        """ "explore" or "results": a found series; "picked": one on the chart."""
        if what not in ("explore", *REGIONS):
            return False
        self.region = "picked" if what == "picked" else "results"
        self.cursor = moved(0, index, self._count())
        return True

    def mark(self, index: int) -> None:
        self.point("explore", index)
        self.open()

    def open(self) -> None:
        """Puts the series under the cursor on the chart, or takes it off."""
        info = self.under_cursor()
        if info is not None:
            self.toggle(info.key)

    def under_cursor(self) -> SeriesInfo | None:
        """The series the cursor is on."""
        if self.region == "picked":
            pick = self.picked[self.cursor] if self.cursor < len(self.picked) else None
            row = self.ctx.mirror.row_of(pick.key) if pick else None
            return self.ctx.mirror.series.get(row) if row is not None else None
        found = self.results()
        return found[moved(self.cursor, 0, len(found))] if found else None

    def toggle(self, key: SeriesKey) -> None:
        """On or off the chart; colours go by the order of picking, a freed one is used again."""
        held = next((p for p in self.picked if p.key == key), None)
        if held is not None:
            self.picked.remove(held)
            self.cursor = moved(self.cursor, 0, len(self.picked)) if self.region == "picked" else self.cursor
            return
        if len(self.picked) >= MAX_PICKED:
            self.ctx.say(f"{MAX_PICKED} series are on the chart. Take one off first.")
            return
        used = {p.colour for p in self.picked}
        self.picked.append(Pick(key, next(i for i in range(1, MAX_PICKED + 1) if i not in used)))
        self._mend_field()

    def show(self, key: SeriesKey, field: str = "value", window: float = 0.0) -> None:
        """Only this series, with this field and window."""
        self.picked = [Pick(key, 1)]
        self.field, self.window = field, window or self.window
        self._mend_field()

    def set_text(self, what: str, text: str, cursor: int) -> bool:
        if what not in ("search", "filter"):
            return False
        self.search, self.cursor, self.region = text[: filters.MAX_FILTER], 0, "results"
        self._filter, self._error = filters.attempt(self.search, self._filter)
        return True

    def submit(self, what: str) -> bool:
        if what not in ("search", "filter"):
            return False
        self.region = "results"
        self.open()
        return True

    def choose(self, what: str, value: str) -> bool:
        if what == "window":
            found = next((w for w in self.windows() if value in (short_range(w), f"{w:g}")), None)
            self.window = found if found is not None else self.window
        elif what == "field" and is_field(value):
            self.field = value
        else:
            return False
        return True

    def back(self) -> bool:
        """Crosshair, then the search."""
        if self.at is not None:
            self.at = None
        elif self.search:
            self.set_text("search", "", 0)
        else:
            return False
        return True

    def why_off(self, action: str) -> str:
        if action in ("explore.clear", "explore.rule", "crosshair.left", "crosshair.right") and not self.picked:
            return "No series is on the chart. Pick one with X."
        if action in ("open", "mark") and self.under_cursor() is None:
            return "No series is found." if self.search else "No series have come yet."
        return ""

    # ------------------------------------------------------------ actions

    def windows(self) -> tuple[float, ...]:
        """The windows the collector keeps."""
        hello = self.ctx.mirror.hello
        return hello.windows if hello and hello.windows else (60.0, 300.0, 900.0, 3600.0)

    def chosen_window(self) -> float:
        return self.window if self.window in self.windows() else self.windows()[0]

    def fields(self) -> tuple[str, ...]:
        """Fields that mean something for all series on the chart."""
        kinds = {info.kind for info in self._infos() if info is not None} or {Kind.GAUGE, Kind.COUNTER}
        lists = [FIELDS[kind] for kind in sorted(kinds)]
        shared = tuple(f for f in lists[0] if all(f in other for other in lists[1:]))
        return shared if self.field in shared else (*shared, self.field)

    def _mend_field(self) -> None:
        kinds = {info.kind for info in self._infos() if info is not None}
        if kinds and not any(self.field in FIELDS[kind] for kind in kinds):
            self.field = "value"

    def _infos(self) -> list[SeriesInfo | None]:
        rows = [self.ctx.mirror.row_of(p.key) for p in self.picked]
        return [self.ctx.mirror.series.get(row) if row is not None else None for row in rows]

    def _next_window(self) -> None:
        windows = self.windows()
        self.window = windows[(windows.index(self.chosen_window()) + 1) % len(windows)]

    def _next_field(self) -> None:
        fields = self.fields()
        self.field = fields[(fields.index(self.field) + 1) % len(fields)] if self.field in fields else fields[0]

    def _clear(self) -> None:
        self.picked, self.at = [], None

    def _rule(self) -> None:
        info = next((i for i in self._infos() if i is not None), None)
        if info is not None:
            self.make_rule(info, self.field, self.chosen_window())

    def _step_crosshair(self, by: int) -> None:
        start, end = self.ctx.span()
        step = max(self.ctx.interval, (end - start) / 120.0)
        at = end if self.at is None else self.at
        self.at = min(end, max(start, at + by * step))

    def _zoom(self, factor: float) -> None:
        if not self.ctx.time.zoom_by(factor, self.at, self.ctx.present(), self.ctx.recent):
            self.ctx.say("This is as close as it goes." if factor < 1 else "This is all that is kept.")

    # ------------------------------------------------------------ picture

    def view(self) -> ExploreView:
        """The page now."""
        ctx = self.ctx
        feeds = [(pick, info, self._feed(info)) for pick, info in zip(self.picked, self._infos(), strict=True)]
        found = self.results()
        chart = self._chart(feeds)
        return ExploreView(
            search=self.search,
            search_error=self._error,
            results=self._rows(found),
            found=self._found_words(len(found)),
            cursor=moved(self.cursor, 0, self._count()),
            picked=tuple(self._picked_row(*entry) for entry in feeds),
            window=short_range(self.chosen_window()),
            windows=tuple(short_range(w) for w in self.windows()),
            field=self.field,
            fields=self.fields(),
            chart=chart,
            table=tuple(self._figures(*entry) for entry in feeds),
            crosshair=self.at,
            readout=self._readout(feeds),
            frozen=ctx.time.paused,
            note=self._note(feeds, chart),
            empty=self._empty(),
            region=self.region,
        )

    def _feed(self, info: SeriesInfo | None) -> Feed | None:
        if info is None:
            return None
        selector = str(self.ctx.index.selector(info))
        backfill = min(3600.0, self.ctx.recent)
        return self.ctx.feed(Wish(selector, (self.field,), self.chosen_window(), backfill=backfill, step=1.0, track=True))

    def _rows(self, found: list[SeriesInfo]) -> tuple[SeriesRow, ...]:
        """Rows round the cursor, from the first: painters scroll within them."""
        ctx = self.ctx
        values = ctx.feed(Wish("{}", ("value", "rate"), ctx.window, every=2))
        colours = {p.key: f"series-{p.colour}" for p in self.picked}
        count = min(MAX_LISTED, max(SHOWN, self.cursor + 64 if self.region == "results" else 0))
        order = values.rows
        shown = found[:count]
        rows = np.array([i.row for i in shown], np.int32)
        at = np.minimum(order.searchsorted(rows), max(0, len(order) - 1)) if len(order) else np.zeros(len(rows), np.intp)
        known = order[at] == rows if len(order) else np.zeros(len(rows), np.bool_)
        latest, rates = values.column("value"), values.column("rate")
        return tuple(
            self._row(i, float(latest[p]) if k else math.nan, float(rates[p]) if k else math.nan, colours.get(i.key, ""))
            for i, p, k in zip(shown, at.tolist(), known.tolist(), strict=True)
        )

    def _row(self, info: SeriesInfo, latest: float, rate: float, colour: str) -> SeriesRow:
        alerts = self.ctx.book.of_series(info.key)
        return SeriesRow(
            row=info.row,
            name=sanitise(info.key.name, 80),
            tags=tags_text(info.key),
            kind=info.kind.name.lower(),
            value=value(latest, unit_of(info, "value")),
            rate=value(rate, unit_of(info, "rate") if info.kind is Kind.COUNTER else PER_SECOND),
            spark=NO_SPARK,
            shape=worst(alerts) or ("unknown" if math.isnan(latest) else "ok"),
            picked=colour,
        )

    def _picked_row(self, pick: Pick, info: SeriesInfo | None, feed: Feed | None) -> SeriesRow:
        name, tags = sanitise(pick.key.name, 80), tags_text(pick.key)
        if info is None or feed is None:
            return SeriesRow(-1, name, tags, "gone", value(None), value(None), NO_SPARK, "unknown", f"series-{pick.colour}")
        start, end = self.ctx.span()
        times, values = feed.track(info.row, self.field)
        latest = feed.value(info.row, self.field)
        return SeriesRow(
            row=info.row,
            name=name,
            tags=tags,
            kind=info.kind.name.lower(),
            value=value(latest, unit_of(info, self.field)),
            rate=value(None),
            spark=spark(times, values, start, end),
            shape="unknown" if math.isnan(latest) else "ok",
            picked=f"series-{pick.colour}",
        )

    def _track(self, pick: Pick, info: SeriesInfo, feed: Feed) -> Track:
        times, values = feed.track(info.row, self.field)
        label = line_name(info.key, [p.key for p in self.picked])
        colour, dash = f"series-{pick.colour}", pick.colour - 1 if pick.colour > 4 else 0
        return Track(label, times, values, unit_of(info, self.field), colour, dash, sanitise(info.key.label()))

    def _chart(self, feeds: list[tuple[Pick, SeriesInfo | None, Feed | None]]) -> ChartView:
        ctx = self.ctx
        known = [(pick, info, feed) for pick, info, feed in feeds if info is not None and feed is not None]

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
                empty=self._chart_empty(bool(known), feeds),
            )

        versions = tuple((pick, feed.version) for pick, _, feed in known)
        key = (versions, ctx.span(), ctx.profile, ctx.words, self.field, self.chosen_window(), len(feeds))
        return ctx.charts.get("explore", key, make)

    def _field_words(self, info: SeriesInfo) -> str:
        field = field_of(info.kind, self.field)
        if field in ("last", "age"):
            return {"last": "last value", "age": "age of the last value"}[field]
        return f"{field.replace('_', ' ')} over {duration(self.chosen_window())}"

    def _chart_empty(self, known: bool, feeds: list[tuple[Pick, SeriesInfo | None, Feed | None]]) -> str:
        if known:
            error = next((f.subscription.error for _, _, f in feeds if f is not None and f.subscription.error), "")
            return sanitise(error) or "No data in this range."
        return "The series picked are gone." if feeds else "Pick a series: Enter or X puts it on the chart."

    def _figures(self, pick: Pick, info: SeriesInfo | None, feed: Feed | None) -> tuple[str, str, Value, Value, Value, Value]:
        """Last, min, mean and max over the range shown."""
        colour = f"series-{pick.colour}"
        if info is None or feed is None:
            nothing = value(None)
            return sanitise(pick.key.label(), 120), colour, nothing, nothing, nothing, nothing
        _, values = finite(*feed.track(info.row, self.field), *self.ctx.span())
        unit = unit_of(info, self.field)
        figures = (values[-1], values.min(), values.mean(), values.max()) if len(values) else (math.nan,) * 4
        last, low, mean, high = (value(float(x), unit) for x in figures)
        return line_name(info.key, [p.key for p in self.picked]), colour, last, low, mean, high

    def _readout(
        self, feeds: list[tuple[Pick, SeriesInfo | None, Feed | None]]
    ) -> tuple[str, tuple[tuple[str, str, Value], ...]] | None:
        if self.at is None:
            return None
        keys = [p.key for p in self.picked]
        rows = []
        for pick, info, feed in feeds:
            if info is None or feed is None:
                continue
            reading = nearest(*feed.track(info.row, self.field), self.at, 3.0 * self.ctx.interval)
            rows.append((line_name(info.key, keys), f"series-{pick.colour}", value(reading, unit_of(info, self.field))))
        present = self.ctx.present()
        ago = max(0.0, present - self.at)
        words = f"{self.ctx.words.moment(self.at, present, seconds=True)} · {duration(math.floor(ago))} ago"
        return words, tuple(rows)

    def _found_words(self, found: int) -> str:
        total = len(self.ctx.index)
        more = f", the first {MAX_LISTED} listed" if found > MAX_LISTED else ""
        if not self.search:
            return plural(total, "series", "series") + more
        if not found:
            key = (self.ctx.index.revision, self.search)
            if self._hint[0] != key:
                self._hint = (key, no_result(self.ctx, self.search))
            return self._hint[1]
        return f"{found:,} of {total:,} series{more}"

    def _note(self, feeds: list[tuple[Pick, SeriesInfo | None, Feed | None]], chart: ChartView) -> str:
        gone = sum(info is None for _, info, _ in feeds)
        if gone:
            return f"{plural(gone, 'series', 'series')} picked {'is' if gone == 1 else 'are'} gone: nothing was sent for a while."
        if self.ctx.time.paused:
            return "Standing still; data keep arriving. L goes live."
        return chart.note

    def _empty(self) -> EmptyState | None:
        if len(self.ctx.index):
            return None
        if self.ctx.mirror.hello is None:
            return EmptyState("Waiting for the collector.", self.ctx.refusal())
        return EmptyState("No series yet.", "This machine's own series appear within a second; send yours over StatsD.")


def no_result(ctx: Context, text: str) -> str:
    """`No series match chekout. Did you mean checkout?`"""
    wanted = text.strip().split()[-1].partition("=")[2].strip("~\"'") or text.strip().split()[-1] if text.strip() else ""
    words = {part for name in list(ctx.index.names())[:4000] for part in (name, *name.replace("_", ".").split("."))}
    close = difflib.get_close_matches(wanted.lower(), sorted(words)[:8000], 1, 0.75) if 2 < len(wanted) < 64 else []
    hint = f" Did you mean {sanitise(close[0], 60)}?" if close else ""
    return f"No series match {sanitise(text.strip(), 60)}.{hint}"
