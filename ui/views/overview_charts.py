"""Overview's charts and figures, all from the same few feeds."""

from __future__ import annotations

import math

from ui.views import overview_parts as parts
from ui.views.chart import Chart
from ui.views.context import Context
from ui.views.feeds import Feed
from ui.views.format import sanitise
from ui.views.hostfigures import Figures, not_loopback
from ui.views.index import line_name
from ui.views.lines import Track
from ui.views.units import unit_of
from ui.views.view import ChartView, Stat

CPU_MODES = ("user", "system", "iowait", "steal")


class Pictures:
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
            empty=f"{parts.missing(ctx).capitalize()}." if ctx.mirror.hello else "Waiting for the collector.",
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
