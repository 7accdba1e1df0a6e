"""Explore's picture: the results as rows, the picks, what was found and what is missing."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING

import numpy as np

from monitor.model.series import Kind, SeriesInfo
from ui.views.alertbook import worst
from ui.views.context import Context
from ui.views.explore_chart import Drawn, PickedChart
from ui.views.feeds import Wish
from ui.views.format import plural, sanitise, short_range, value
from ui.views.index import tags_text
from ui.views.lines import spark
from ui.views.units import PER_SECOND, unit_of
from ui.views.view import ChartView, EmptyState, ExploreView, SeriesRow, Value

if TYPE_CHECKING:
    from ui.views.explore import Explore

MAX_LISTED = 500
"""Results a person can walk through; beyond that a search is quicker."""
SHOWN = 100
"""Results made into rows until the cursor goes further."""
NO_SPARK = np.empty(0)
NOT_YET = Value("")
"""What stands for a value until the first answer: nothing, which is not the same as no data."""


class ExplorePicture:
    """One picture of the page."""

    def __init__(self, page: Explore) -> None:
        self.ctx = page.ctx
        self.page = page
        self.field = page.shown_field()
        self.waiting = False
        self.drawn = PickedChart(
            page.ctx, [] if page.deck else page.drawn(), self.field, page.chosen_window(), page.at, page.exemplars
        )

    def view(self) -> ExploreView:
        """The page now."""
        page, drawn = self.page, self.drawn
        found = page.results()
        queries, chart = page.deck.look() if page.deck else (None, drawn.chart())
        return ExploreView(
            search=page.search,
            search_error=page.error,
            results=self._rows(found),
            found=self._found_words(len(found)),
            cursor=page.place(),
            picked=tuple(self._picked_row(entry) for entry in drawn.feeds) if page.picked else (),
            window=short_range(page.chosen_window()),
            windows=tuple(short_range(w) for w in page.windows()),
            field=self.field,
            fields=page.fields(),
            chart=chart,
            table=tuple(drawn.figures(*entry) for entry in drawn.feeds),
            crosshair=page.at,
            readout=drawn.readout(page.deck.readout if page.deck else None),
            frozen=self.ctx.time.paused,
            note=self._note(drawn.feeds, chart),
            preview=bool(drawn.feeds) and not page.picked,
            empty=self._empty(),
            region=page.region,
            queries=queries,
            exemplar=page.exemplars.said(),
        )

    def _rows(self, found: list[SeriesInfo]) -> tuple[SeriesRow, ...]:
        """Rows round the cursor, from the first: painters scroll within them."""
        ctx = self.ctx
        values = ctx.feed(Wish("{}", ("value", "rate"), ctx.window, every=2))
        colours = {p.key: f"series-{p.colour}" for p in self.page.picked}
        count = min(MAX_LISTED, max(SHOWN, self.page.cursor + 64 if self.page.region == "results" else 0))
        order = values.rows
        shown = found[:count]
        rows = np.array([i.row for i in shown], np.int32)
        at = np.minimum(order.searchsorted(rows), max(0, len(order) - 1)) if len(order) else np.zeros(len(rows), np.intp)
        known = order[at] == rows if len(order) else np.zeros(len(rows), np.bool_)
        latest, rates = values.column("value"), values.column("rate")
        self.waiting = not values.ready
        return tuple(
            self._row(i, float(latest[p]) if k else math.nan, float(rates[p]) if k else math.nan, colours.get(i.key, ""))
            for i, p, k in zip(shown, at.tolist(), known.tolist(), strict=True)
        )

    def _row(self, info: SeriesInfo, latest: float, rate: float, colour: str) -> SeriesRow:
        alerts = self.ctx.book.of_series(info.key)
        return SeriesRow(
            row=info.row,
            name=sanitise(info.key.name, 80),
            tags=self.ctx.index.tags_text(info),
            kind=info.kind.name.lower(),
            value=NOT_YET if self.waiting else value(latest, unit_of(info, "value")),
            rate=NOT_YET if self.waiting else value(rate, unit_of(info, "rate") if info.kind is Kind.COUNTER else PER_SECOND),
            spark=NO_SPARK,
            shape=worst(alerts) or ("unknown" if math.isnan(latest) and not self.waiting else "ok"),
            picked=colour,
        )

    def _picked_row(self, entry: Drawn) -> SeriesRow:
        pick, info, feed = entry
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

    def _found_words(self, found: int) -> str:
        total = len(self.ctx.index)
        more = f", the first {MAX_LISTED} listed" if found > MAX_LISTED else ""
        if not self.page.search:
            return plural(total, "series", "series") + more
        if not found:
            key = (self.ctx.index.revision, self.page.search)
            if self.page.hint[0] != key:
                self.page.hint = (key, no_result(self.ctx, self.page.search))
            return self.page.hint[1]
        return f"{found:,} of {total:,} series{more}"

    def _note(self, feeds: list[Drawn], chart: ChartView) -> str:
        gone = sum(info is None for _, info, _ in feeds)
        if gone:
            return f"{plural(gone, 'series', 'series')} picked {'is' if gone == 1 else 'are'} gone: nothing was sent for a while."
        return chart.note or ("Standing still; data keep arriving. L goes live." if self.ctx.time.paused else "")

    def _empty(self) -> EmptyState | None:
        if len(self.ctx.index) or self.page.deck:  # what nobody sends any more can still be asked for
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
