"""Rate, errors and duration of what is open on the map, read from feeds of its own series and drawn as three charts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from monitor.model.matchers import NAME_TAG, Matcher, Selector
from monitor.model.series import SeriesInfo
from monitor.topology import span_metrics as series
from ui.views.chart import Chart
from ui.views.context import Context
from ui.views.feeds import Feed, Wish
from ui.views.lines import Track
from ui.views.overview_parts import missing
from ui.views.sentence import Limit
from ui.views.topologymap import LIMITS
from ui.views.units import PER_SECOND, RATIO, SECONDS
from ui.views.view import ChartView, Floats

MOST_SERIES = 200
"""Series of one node that are read at most, the busiest first."""
LINES = 4
QUANTILES = ("p50", "p95", "p99")
_FAILED = ("status_code", "STATUS_CODE_ERROR")
_EMPTY: Floats = np.empty(0)


@dataclass(frozen=True, slots=True)
class Source:
    """Which series tell of it: counters `calls` and durations `seconds` by name, narrowed by `matchers`.

    `spans`: they are span metrics, which count failures by a tag; else the service graph's, which has a counter of them.
    `key` tells this source from every other; `far`: it is far over the limit of errors.
    """

    key: object
    matchers: tuple[Matcher, ...]
    spans: bool
    far: bool = False

    @property
    def counters(self) -> str:
        return series.CALLS if self.spans else f"{series.EDGE_CALLS}|{series.EDGE_FAILED}"

    @property
    def durations(self) -> str:
        return series.LATENCY if self.spans else series.EDGE_SECONDS


class Red:
    """The feeds of a source and what is made of them."""

    def __init__(self, ctx: Context, source: Source) -> None:
        self.ctx, self.source = ctx, source
        self.counters = self._feed(source.counters, ("rate",))
        self.durations = self._feed(source.durations, ("rate", *QUANTILES))

    def _feed(self, name: str, fields: tuple[str, ...]) -> Feed:
        backfill, step = self.ctx.reach()
        selector = str(Selector((Matcher(NAME_TAG, "=~", name), *self.source.matchers)))
        wish = Wish(selector, fields, self.ctx.window, backfill=backfill, step=step, limit=MOST_SERIES, track=True)
        return self.ctx.feed(wish)

    def infos(self, feed: Feed) -> list[SeriesInfo]:
        """The series of a feed that are known."""
        known = self.ctx.mirror.series
        return [known[row] for row in feed.rows.tolist() if row in known]

    def failed(self, info: SeriesInfo) -> bool:
        """Whether a counter counts failures."""
        return _FAILED in info.key.tags if self.source.spans else info.key.name == series.EDGE_FAILED

    def busiest(self) -> list[SeriesInfo]:
        """Series of durations, the most often measured first."""
        told = [(info, self.durations.value(info.row, "rate")) for info in self.infos(self.durations)]
        told.sort(key=lambda pair: (-pair[1] if math.isfinite(pair[1]) else math.inf, pair[0].key))
        return [info for info, _ in told]

    def total(self, failed: bool) -> tuple[Floats, Floats]:
        """Times, and requests a second over time, or those that failed."""
        times, total = _EMPTY, _EMPTY
        for info in self.infos(self.counters):
            if self.failed(info) != failed and (failed or not self.source.spans):
                continue
            own, values = self.counters.track(info.row, "rate")
            if not len(times):
                times, total = own, np.where(np.isfinite(values), values, 0.0)
            elif len(own) == len(times):
                total = total + np.where(np.isfinite(values), values, 0.0)
        return times, total

    def then(self) -> str:
        """`was 123 /s`: a quarter of an hour ago."""
        times, values = self.total(False)
        at = int(times.searchsorted(self.ctx.span()[1] - 900.0))
        return f"was {self.ctx.words.say(float(values[at]), PER_SECOND)}" if 0 < at < len(times) else ""

    # ------------------------------------------------------------ charts

    def charts(self, title: str, lines: Callable[[], list[Track]]) -> tuple[ChartView, ...]:
        """Requests, errors, and a chart of latency with that title and those lines."""
        ctx = self.ctx
        key = (self.source.key, self.counters.version, self.durations.version, ctx.span(), ctx.profile, ctx.words)
        latency = Limit(LIMITS.warning_p99, "gt", "warning")
        makers: tuple[tuple[str, Callable[[], Chart]], ...] = (
            ("rate", self._rate),
            ("errors", self._errors),
            ("latency", lambda: self._chart("latency", title, lines(), latency)),
        )
        return tuple(ctx.charts.get(f"topology.{name}", key, make) for name, make in makers)

    def _chart(self, name: str, title: str, tracks: list[Track], limit: Limit | None = None, subject: str = "") -> Chart:
        ctx = self.ctx
        return Chart(
            id=f"topology.{name}",
            title=title,
            tracks=tuple(tracks),
            x=ctx.span(),
            words=ctx.words,
            interval=ctx.interval,
            points=min(400, ctx.profile.points),
            ticks=4,
            y_ticks=4,
            limits=(limit,) if limit is not None else (),
            subject=subject,
            empty=f"{missing(ctx).capitalize()}.",
        )

    def _rate(self) -> Chart:
        times, total = self.total(False)
        return self._chart("rate", "Requests", [Track("requests", times, total, PER_SECOND)] if len(times) else [])

    def _errors(self) -> Chart:
        times, total = self.total(False)
        when, broken = self.total(True)
        if len(when) != len(times):
            broken = np.zeros(len(times))
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(total > 0, np.clip(broken / total, 0.0, 1.0), 0.0)
        limit = Limit(LIMITS.warning_errors, "gt", "critical" if self.source.far else "warning")
        return self._chart("errors", "Errors", [Track("errors", times, share, RATIO)] if len(times) else [], limit, "of requests")

    def by_series(self, name_of: Callable[[SeriesInfo], str]) -> list[Track]:
        """p99 of the busiest series, a line each."""
        return [
            Track(name_of(info), *self.durations.track(info.row, "p99"), SECONDS, f"series-{n}")
            for n, info in enumerate(self.busiest()[:LINES], 1)
        ]

    def by_quantile(self) -> list[Track]:
        """Median, p95 and p99 of the busiest series."""
        return [
            Track(name, *self.durations.track(info.row, name), SECONDS, f"series-{n}")
            for info in self.busiest()[:1]
            for n, name in enumerate(QUANTILES, 1)
        ]
