"""The figures of this machine, found by the names the host receiver gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.model.series import SeriesInfo
from ui.views.context import Context
from ui.views.feeds import Feed, Wish
from ui.views.format import sanitise
from ui.views.lines import Track
from ui.views.units import PLAIN, Unit, unit_of
from ui.views.view import Floats

SELECTOR = (
    r'{__name__=~"host\\.(cpu\\.(busy|percent|count)|memory\\.(percent|used|total|cached)|swap\\.used|load\\.1m'
    r'|net\\.(received|sent)_bytes|disk\\.(read|write)_bytes|fs\\.percent|processes\\.total|fds\\.used)"}'
)
CORES = '{__name__="host.cpu.core.busy"}'
PROCESSES = r'{__name__=~"host\\.process\\.(cpu|memory)"}'
EMPTY: Floats = np.empty(0)


@dataclass(frozen=True, slots=True)
class Figures:
    """The feed of this machine and how to read sums over its devices."""

    ctx: Context
    feed: Feed

    def one(self, name: str, **tags: str) -> SeriesInfo | None:
        """This machine's series of a name: the one with these tags and the fewest others, never another host's."""
        found = [i for i in self.ctx.index.named(name) if tags.items() <= dict(i.key.tags).items()]
        own = [i for i in found if not any(n == "host" for n, _ in i.key.tags)]
        return min(own or found, key=lambda i: len(i.key.tags), default=None)

    def latest(self, info: SeriesInfo | None) -> float:
        return self.feed.value(info.row, "value") if info is not None else float("nan")

    def track(self, info: SeriesInfo | None, label: str, colour: int) -> Track | None:
        """A line of one series; None when there is no such series."""
        if info is None:
            return None
        times, values = self.feed.track(info.row, "value")
        return Track(label, times, values, unit_of(info, "value"), f"series-{colour}", 0, sanitise(info.key.label()))

    def sum(self, names: Sequence[str], label: str, colour: int, keep: Callable[[SeriesInfo], bool]) -> Track | None:
        """A line of the sum over devices; None when there is none."""
        infos = [i for name in names for i in self.ctx.index.named(name) if keep(i)][:64]
        if not infos:
            return None
        times, total, known = EMPTY, EMPTY, np.empty(0, np.bool_)
        for info in infos:
            t, values = self.feed.track(info.row, "value")
            if not len(t):
                continue
            finite = np.isfinite(values)
            if not len(times):
                times, total, known = t, np.where(finite, values, 0.0), finite
            elif len(t) == len(times):
                total = total + np.where(finite, values, 0.0)
                known = known | finite
        values = np.where(known, total, np.nan) if len(times) else EMPTY
        return Track(label, times, values, unit_of(infos[0], "value"), f"series-{colour}", 0, f"{label}, {len(infos)} devices")


def figures(ctx: Context) -> Figures:
    """The figures of this machine over the last hour, or over the range shown where that is longer."""
    backfill, step = ctx.reach()
    wish = Wish(SELECTOR, ("value",), ctx.window, backfill=backfill, step=step, track=True)
    return Figures(ctx, ctx.feed(wish))


def not_loopback(info: SeriesInfo) -> bool:
    """Traffic that leaves the machine, and only of this machine."""
    tags = dict(info.key.tags)
    return tags.get("interface", tags.get("device", "")) != "lo" and "host" not in tags


def unit_or_plain(info: SeriesInfo | None) -> Unit:
    return unit_of(info, "value") if info is not None else PLAIN
