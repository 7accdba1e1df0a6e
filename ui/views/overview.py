"""Overview: this machine, the busiest series, what is firing, and the collector's own health."""

from __future__ import annotations

import math
from collections.abc import Callable

from monitor.alerting.model import Alert
from monitor.model.series import Kind, SeriesInfo
from ui.views import overview_parts as parts
from ui.views.alertbook import shape_of_alert, where, worst
from ui.views.chart import Chart
from ui.views.context import Context
from ui.views.feeds import Feed, Wish
from ui.views.format import plural, sanitise, value
from ui.views.hostfigures import Figures, figures, not_loopback
from ui.views.index import line_name, tags_text
from ui.views.lines import Track, spark
from ui.views.page import PageModel, moved
from ui.views.units import PER_SECOND, unit_of
from ui.views.view import AlertRow, Banner, ChartView, EmptyState, OverviewView, SeriesRow, Shape, Stat

BUSIEST = r'{__name__!~"(host|lightship)[._].*"}'
RESORT = 10.0
"""Seconds between two orderings of the busiest series: rows keep their place while they are read."""
REGIONS = ("firing", "busiest")
CPU_MODES = ("user", "system", "iowait", "steal")


class Overview(PageModel):
    name = "overview"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.region = "firing"
        self.cursor = 0
        self._order: list[int] = []
        self._sorted_at = -math.inf
        self._charted_rows: tuple[int, ...] = ()
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
        ctx, figs = self.ctx, figures(self.ctx)
        feed = self._busiest_feed()
        busiest = self._busiest(feed)
        rows = [ctx.book.row(a, ctx.present(), ctx.words) for a in ctx.book.firing[: max(ctx.profile.rows, self.cursor + 1)]]
        shown = Shown(ctx, figs, feed, self._charted(feed))
        cores, cores_title = parts.cores(ctx)
        return OverviewView(
            headline=headline(ctx),
            quiet=parts.quiet(ctx),
            stats=tuple(shown.stats()[: ctx.profile.stats]),
            charts=tuple(shown.charts()[: ctx.profile.charts]),
            busiest=tuple(busiest),
            firing=tuple(rows),
            firing_title=parts.firing_title(ctx),
            events=parts.events(ctx),
            processes=parts.processes(ctx),
            cores=cores,
            cores_title=cores_title,
            collector=parts.collector(ctx),
            empty=self._empty(),
            cursor=moved(self.cursor, 0, self.count()),
            region=self.region,
        )

    def _busiest_feed(self) -> Feed:
        ctx = self.ctx
        rows = max(8, ctx.profile.rows)
        wish = Wish(BUSIEST, ("rate", "value"), ctx.window, backfill=min(1800.0, ctx.recent), step=10.0, limit=rows, track=True)
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
            tags=tags_text(info.key),
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


class Shown:
    """Stats and charts of one picture, from the same feeds."""

    def __init__(self, ctx: Context, figs: Figures, feed: Feed, top: tuple[int, ...]) -> None:
        self.ctx = ctx
        self.figs = figs
        self.feed = feed
        self.top = top

    # ------------------------------------------------------------ charts

    def charts(self) -> list[ChartView]:
        """CPU, memory, network, the busiest program series (where there is one), disks, load."""
        makers = [("cpu", self._cpu), ("memory", self._memory), ("network", self._network), ("busiest", self._top)]
        makers = [*(makers if self.top or self.ctx.index.programs else makers[:3]), ("disk", self._disk), ("load", self._load)]
        return [
            self.ctx.charts.get(f"overview.{name}", self._key(name), make) for name, make in makers[: self.ctx.profile.charts]
        ]

    def _key(self, name: str) -> object:
        ctx = self.ctx
        version = self.feed.version if name == "busiest" else self.figs.feed.version
        return (version, ctx.span(), ctx.profile, ctx.words, ctx.index.revision, self.top if name == "busiest" else ())

    def _chart(self, name: str, title: str, tracks: list[Track | None], subject: str = "", ceiling: float | None = None) -> Chart:
        ctx = self.ctx
        return Chart(
            id=f"overview.{name}",
            title=title,
            tracks=tuple(t for t in tracks if t is not None),
            x=ctx.span(),
            words=ctx.words,
            interval=ctx.interval,
            points=ctx.profile.points,
            ticks=ctx.profile.ticks,
            y_ticks=ctx.profile.y_ticks,
            subject=subject,
            ceiling=ceiling,
            empty="No data yet." if ctx.mirror.hello else "Waiting for the collector.",
        )

    def _cpu(self) -> Chart:
        figs = self.figs
        tracks = [figs.track(figs.one("host.cpu.busy"), "busy", 1)]
        tracks += [figs.track(figs.one("host.cpu.percent", mode=mode), mode, i) for i, mode in enumerate(CPU_MODES[:3], 2)]
        return self._chart("cpu", "CPU", tracks, "busy")

    def _memory(self) -> Chart:
        figs = self.figs
        total = figs.latest(figs.one("host.memory.total"))
        swap = figs.one("host.swap.used")
        tracks = [figs.track(figs.one("host.memory.used"), "used", 1)]
        if tracks[0] is None:
            return self._chart("memory", "Memory", [figs.track(figs.one("host.memory.percent"), "used", 1)], "in use", 100.0)
        tracks.append(figs.track(figs.one("host.memory.cached"), "cached", 2))
        if figs.latest(swap) > 0:
            tracks.append(figs.track(swap, "swap", 3))
        subject = f"of {self.ctx.words.say(total, tracks[0].unit)} in use" if math.isfinite(total) else "in use"
        return self._chart("memory", "Memory", tracks, subject, total if math.isfinite(total) else None)

    def _network(self) -> Chart:
        figs = self.figs
        received = figs.sum(["host.net.received_bytes"], "received", 1, not_loopback)
        sent = figs.sum(["host.net.sent_bytes"], "sent", 2, not_loopback)
        return self._chart("network", "Network", [received, sent], "received")

    def _disk(self) -> Chart:
        figs = self.figs
        read = figs.sum(["host.disk.read_bytes"], "read", 1, not_loopback)
        written = figs.sum(["host.disk.write_bytes"], "written", 2, not_loopback)
        return self._chart("disk", "Disks", [written, read], "written")

    def _load(self) -> Chart:
        figs = self.figs
        tracks = [figs.track(figs.one(f"host.load.{n}"), f"{n[:-1]} min", i) for i, n in enumerate(("1m", "5m", "15m"), 1)]
        return self._chart("load", "Load", tracks)

    def _top(self) -> Chart:
        infos = [self.ctx.mirror.series[row] for row in self.top]
        keys = [i.key for i in infos]
        tracks: list[Track | None] = []
        for n, info in enumerate(infos, 1):
            times, values = self.feed.track(info.row, "value")
            unit = unit_of(info, "value")
            tracks.append(Track(line_name(info.key, keys), times, values, unit, f"series-{n}", 0, sanitise(info.key.label())))
        subject = f"for {tracks[0].name}" if len(tracks) > 1 and tracks[0] is not None else ""
        return self._chart("busiest", sanitise(keys[0].name, 80) if keys else "Busiest series", tracks, subject)

    # ------------------------------------------------------------ stats

    def stats(self) -> list[Stat]:
        """CPU, memory, load, network, disk, series, processes, open files."""
        figs = self.figs
        cpu = figs.track(figs.one("host.cpu.busy"), "CPU", 1)
        memory = figs.track(figs.one("host.memory.percent"), "Memory", 1)
        load = figs.track(figs.one("host.load.1m"), "Load", 1)
        traffic = figs.sum(["host.net.received_bytes", "host.net.sent_bytes"], "Network", 1, not_loopback)
        stats = [parts.stat(self.ctx, "CPU", cpu), parts.stat(self.ctx, "Memory", memory), parts.stat(self.ctx, "Load", load)]
        stats += [parts.stat(self.ctx, "Network", traffic), self._fullest(), parts.series_stat(self.ctx)]
        for label, name in (("Processes", "host.processes.total"), ("Open files", "host.fds.used")):
            stats.append(parts.stat(self.ctx, label, figs.track(figs.one(name), label, 1)))
        return stats

    def _fullest(self) -> Stat:
        figs = self.figs
        systems = [i for i in self.ctx.index.named("host.fs.percent") if not_loopback(i)]
        fullest = max(systems, key=lambda i: figs.latest(i) if math.isfinite(figs.latest(i)) else -1.0, default=None)
        if fullest is None:
            disk = figs.sum(["host.disk.read_bytes", "host.disk.write_bytes"], "Disk", 1, not_loopback)
            return parts.stat(self.ctx, "Disk", disk)
        mount = sanitise(dict(fullest.key.tags).get("mount", ""), 24)
        return parts.stat(self.ctx, "Disk", figs.track(fullest, "Disk", 1), f"full: {mount}" if mount else "")


def headline(ctx: Context) -> Banner | None:
    """The gravest firing alert as a sentence: its name, since when, who has it, and how many more fire."""
    firing = ctx.book.firing
    if not firing:
        return None
    gravest, present = firing[0], ctx.present()
    place = where(gravest)
    title = ctx.book.title(gravest) + (f": {place}" if place else "")
    shown = ctx.book.value(gravest)
    facts = f"{ctx.words.text(shown)}, limit {ctx.words.text(value(gravest.threshold, ctx.book.unit(gravest)))}"
    if gravest.no_data or gravest.value is None:
        facts = "No data"
    owner = (
        f"{sanitise(gravest.ack.who, 40)} has it {ctx.words.since(gravest.ack.at, present)}." if gravest.ack else "Nobody has it."
    )
    more = len(firing) - 1
    others = f" {plural(more, 'more alert is', 'more alerts are')} firing." if more else ""
    since = ctx.words.moment(gravest.fired_at or gravest.since, present, seconds=True)
    shape = shape_of_alert(gravest)
    return Banner(shape, title, f"{facts}, since {since}. {owner}{others}", "open", "Open alert")


def firing_rows(ctx: Context) -> tuple[AlertRow, ...]:
    """The firing alerts in words."""
    return tuple(ctx.book.row(a, ctx.present(), ctx.words) for a in ctx.book.firing)
