"""Overview: this machine, the busiest series, what is firing, and the collector's own health."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from monitor.alerting.model import Alert
from monitor.model.series import Kind, SeriesInfo
from ui.views import overview_parts as parts
from ui.views.alertbook import worst
from ui.views.context import Context
from ui.views.feeds import Feed, Wish
from ui.views.format import plural, sanitise, value
from ui.views.hostfigures import figures
from ui.views.lines import spark
from ui.views.overview_charts import Pictures
from ui.views.page import PageModel, moved
from ui.views.units import PER_SECOND, unit_of
from ui.views.view import ChartView, EmptyState, OverviewView, ProcessRow, Sentence, SeriesRow, Shape, Stat, Value

BUSIEST = r'{__name__!~"(host|lightship)[._].*|traces_(spanmetrics|service_graph)_.*"}'
RESORT = 10.0
"""Seconds between two orderings of the busiest series: rows keep their place while they are read."""
REGIONS = ("firing", "busiest")
CPU_MODES = ("user", "system", "iowait", "steal")


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """The part of the page that pausing holds: figures, charts and tables. Alerts and events go on."""

    stats: tuple[Stat, ...]
    charts: tuple[ChartView, ...]
    busiest: tuple[SeriesRow, ...]
    processes: tuple[ProcessRow, ...]
    cores: tuple[float, ...]
    cores_title: Sentence
    collector: tuple[tuple[str, Value], ...]


class Overview(PageModel):
    name = "overview"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.region = "firing"
        self.cursor = 0
        self._order: list[int] = []
        self._sorted_at = -math.inf
        self._charted_rows: tuple[int, ...] = ()
        self._still: tuple[object, Measured | None] = (None, None)
        self.handlers = {
            "cursor.down": lambda: self.move(1),
            "cursor.up": lambda: self.move(-1),
            "open": self.open,
            "region.next": lambda: self._region(1),
            "region.previous": lambda: self._region(-1),
        }
        self.open_alert: Callable[[Alert], None] = lambda alert: None
        self.open_series: Callable[[int], None] = lambda row: None

    # ------------------------------------------------------------ cursor

    def _region(self, by: int) -> None:
        self.region = REGIONS[(REGIONS.index(self.region) + by) % len(REGIONS)]
        self.cursor = 0

    def count(self) -> int:
        return len(self.ctx.book.firing) if self.region == "firing" else len(self._order)

    def move(self, by: int) -> None:
        self.cursor = moved(self.cursor, by, self.count())

    def point(self, what: str, index: int) -> bool:
        """ "overview": in the present region; "firing" or "busiest" choose the region too."""
        if what in REGIONS:
            self.region = what
        elif what != "overview":
            return False
        self.cursor = moved(0, index, self.count())
        return True

    def targets(self) -> list[Alert]:
        """The alert that acting means: under the cursor, else the gravest."""
        firing = self.ctx.book.firing
        if not firing:
            return []
        return [firing[moved(self.cursor, 0, len(firing))] if self.region == "firing" else firing[0]]

    def open(self) -> None:
        if self.region == "busiest" and self.cursor < len(self._order):
            self.open_series(self._order[self.cursor])
            return
        targets = self.targets()
        if targets:
            self.open_alert(targets[0])

    def why_off(self, action: str) -> str:
        if action in ("open", "alert.acknowledge", "alert.silence") and not self.count() and not self.ctx.book.firing:
            return "Nothing is firing."
        return ""

    # ------------------------------------------------------------ picture

    def view(self) -> OverviewView:
        """The page now."""
        ctx = self.ctx
        rows = [ctx.book.row(a, ctx.present(), ctx.words) for a in ctx.book.firing[: max(ctx.profile.rows, self.cursor + 1)]]
        measured = self._measured()
        return OverviewView(
            headline=parts.headline(ctx),
            quiet=parts.quiet(ctx),
            stats=measured.stats,
            charts=measured.charts,
            busiest=measured.busiest,
            firing=tuple(rows),
            firing_title=parts.firing_title(ctx),
            events=parts.events(ctx),
            processes=measured.processes,
            cores=measured.cores,
            cores_title=measured.cores_title,
            collector=measured.collector,
            empty=self._empty(),
            cursor=moved(self.cursor, 0, self.count()),
            region=self.region,
        )

    def _measured(self) -> Measured:
        """All that is measured; while the view stands still it is the same to the last row, whatever comes and goes meanwhile."""
        ctx = self.ctx
        held, still = self._still
        key = (ctx.time.held, ctx.time.span(0.0), ctx.profile, ctx.words, ctx.feeds.version)
        if ctx.time.paused and still is not None and held == key:
            ctx.feeds.keep(ctx.now())
            return still
        figs, feed = figures(ctx), self._busiest_feed()
        busiest = self._busiest(feed)
        shown = Pictures(ctx, figs, feed, self._charted(feed))
        cores, cores_title = parts.cores(ctx)
        measured = Measured(
            stats=tuple(shown.stats()[: ctx.profile.stats]),
            charts=tuple(shown.charts()[: ctx.profile.charts]),
            busiest=tuple(busiest),
            processes=parts.processes(ctx),
            cores=cores,
            cores_title=cores_title,
            collector=parts.collector(ctx),
        )
        key = (ctx.time.held, ctx.time.span(0.0), ctx.profile, ctx.words, ctx.feeds.version)
        self._still = (key, measured) if ctx.time.paused else (None, None)
        return measured

    def _busiest_feed(self) -> Feed:
        ctx = self.ctx
        rows = max(8, ctx.profile.rows)
        backfill, step = ctx.reach()
        # A spark has room for no more than some sixty points.
        backfill, step = (min(1800.0, ctx.recent), 10.0) if ctx.time.range <= 1800.0 else (backfill, max(10.0, step))
        wish = Wish(BUSIEST, ("rate", "value"), ctx.window, backfill=backfill, step=step, limit=rows, track=True)
        return ctx.feed(wish)

    def _busiest(self, feed: Feed) -> list[SeriesRow]:
        self._sort(feed)
        start, end = self.ctx.span()
        rows = [self._series_row(feed, self.ctx.mirror.series[row], start, end) for row in self._order]
        return rows[: self.ctx.profile.rows]

    def _sort(self, feed: Feed) -> None:
        known = [int(row) for row in feed.rows if int(row) in self.ctx.mirror.series]
        now = self.ctx.now()
        if set(known) == set(self._order) and (now - self._sorted_at < RESORT or not self.ctx.settled()):
            return
        if self.ctx.time.paused and self._order and set(self._order) <= set(known):
            return
        rates = {row: feed.value(row, "rate") for row in known}
        place = {row: i for i, row in enumerate(self._order)}
        if self.ctx.settled() or not self._order:
            known.sort(key=lambda r: (-rates[r] if math.isfinite(rates[r]) else math.inf, r))
        else:
            known.sort(key=lambda r: place.get(r, len(place)))
        self._order, self._sorted_at = known, now

    def _charted(self, feed: Feed) -> tuple[int, ...]:
        """Rows of the busiest series and its namesakes: the same ones until they are gone or another is twice as busy."""
        series = self.ctx.mirror.series
        rates = {row: feed.value(row, "rate") for row in self._order}
        held = [rates[row] for row in self._charted_rows if row in rates and row in series]
        most = max((r for r in rates.values() if math.isfinite(r)), default=0.0)
        kept = len(held) == len(self._charted_rows) and max((r for r in held if math.isfinite(r)), default=0.0) * 2 >= most
        if self._order and not (held and kept):
            name = series[self._order[0]].key.name
            self._charted_rows = tuple(row for row in self._order if series[row].key.name == name)[:4]
        elif not self._order:
            self._charted_rows = ()
        return self._charted_rows

    def _series_row(self, feed: Feed, info: SeriesInfo, start: float, end: float) -> SeriesRow:
        latest = feed.value(info.row, "value")
        alerts = self.ctx.book.of_series(info.key)
        shape: Shape = worst(alerts) or ("unknown" if math.isnan(latest) else "ok")
        field = "rate" if info.kind is Kind.COUNTER else "value"
        rate = feed.value(info.row, "rate")
        return SeriesRow(
            row=info.row,
            name=sanitise(info.key.name, 80),
            tags=self.ctx.index.tags_text(info),
            kind=info.kind.name.lower(),
            value=value(latest, unit_of(info, "value"), shape if shape in ("critical", "warning") else None),
            rate=value(rate, PER_SECOND if info.kind is not Kind.COUNTER else unit_of(info, "rate")),
            spark=spark(*feed.track(info.row, field), start, end),
            shape=shape,
            strip=self.ctx.book.series_strip(info.key, self.ctx.present()),
        )

    def _empty(self) -> EmptyState | None:
        mirror = self.ctx.mirror
        if self.ctx.index.programs or mirror.hello is None:
            return None
        statsd = sanitise(mirror.hello.statsd, 80) or "127.0.0.1:8125"
        host, _, port = statsd.rpartition(":")
        return EmptyState(
            "Listening. This machine is already here.",
            "Send something and it shows within a second.",
            (
                ("StatsD", f'echo "demo.hits:1|c" | nc -u -w0 {host or "127.0.0.1"} {port}'),
                ("Lightship", "lightship send demo.hits 1"),
            ),
            f"{plural(len(mirror.series), 'series', 'series')} of this machine arriving." if mirror.series else "",
        )
