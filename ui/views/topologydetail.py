"""A node opened: its rate, errors and latency as charts, whom it calls and is called by, its operations and its alerts."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import NAME_TAG, Matcher, Selector
from monitor.model.series import SeriesInfo
from monitor.topology import span_metrics as series
from monitor.topology.graph import NodeKind, Places
from ui.views.chart import Chart
from ui.views.context import Context
from ui.views.feeds import Feed, Wish
from ui.views.format import plural, sanitise, value
from ui.views.lines import Track
from ui.views.overview_parts import missing
from ui.views.sentence import Limit, join
from ui.views.topologymap import KINDS, LIMITS, Now, alerts_on, error_value, latency_value, link_row, node_row
from ui.views.topologyview import LinkRow, NodeDetail, OperationRow
from ui.views.units import PER_SECOND, RATIO, SECONDS
from ui.views.view import ChartView, Floats, Sentence

MOST_SERIES = 200
"""Series of one node that are read at most, the busiest first."""
LINES = 4
OPERATIONS = 6
_FAILED = ("status_code", "STATUS_CODE_ERROR")
_EMPTY: Floats = np.empty(0)
Which = npt.NDArray[np.intp]


class NodeModel:
    """The node that is open, read from feeds of its own series: its spans', or where it sends none those of the edges to it."""

    def __init__(self, ctx: Context, now: Now, name: str) -> None:
        self.ctx, self.now, self.name = ctx, now, name
        self.at = now.place[name]
        own = Matcher("service", "=", name), Matcher("span_kind", "=~", "SPAN_KIND_(SERVER|CONSUMER)")
        self.spans = bool((now.found.node_calls.places == self.at).any())
        ends = own if self.spans else (Matcher("server", "=", name),)
        counters = series.CALLS if self.spans else f"{series.EDGE_CALLS}|{series.EDGE_FAILED}"
        durations = series.LATENCY if self.spans else series.EDGE_SECONDS
        self.counters = self._feed(counters, ends, ("rate",))
        self.durations = self._feed(durations, ends, ("rate", "p99"))

    def _feed(self, name: str, ends: tuple[Matcher, ...], fields: tuple[str, ...]) -> Feed:
        backfill, step = self.ctx.reach()
        selector = str(Selector((Matcher(NAME_TAG, "=~", name), *ends)))
        return self.ctx.feed(Wish(selector, fields, self.ctx.window, backfill=backfill, step=step, limit=MOST_SERIES, track=True))

    def view(self, places: dict[int, int]) -> NodeDetail:
        """The node in words and charts. `places`: where each node of the map stands among those that are shown."""
        ctx, now, at = self.ctx, self.now, self.at
        row = node_row(now, at, "Health", ctx)
        found = now.found
        calls, called = np.flatnonzero(found.clients == at), np.flatnonzero(found.servers == at)
        stats = (
            ("Requests", row.rate, self._then()),
            ("Errors", row.errors, f"limit {ctx.words.say(LIMITS.warning_errors, RATIO)}"),
            ("p99", row.p99, f"limit {ctx.words.say(LIMITS.warning_p99, SECONDS)}"),
        )
        return NodeDetail(
            name=row.name,
            shape=row.shape,
            subtitle=self._subtitle(len(called), len(calls)),
            sentence=self._sentence(),
            stats=stats,
            charts=self._charts(),
            callers=self._links(called, found.clients, places),
            called=self._links(calls, found.servers, places),
            operations=self._operations(),
            alerts=tuple(ctx.book.row(a, ctx.present(), ctx.words) for a in alerts_on(ctx, self.name)[:6]),
        )

    def _subtitle(self, callers: int, called: int) -> str:
        kind = KINDS[NodeKind(int(self.now.found.kinds[self.at]))].capitalize()
        seen = "" if self.spans else ", seen by its callers" if callers else ", seen as a caller"
        return f"{kind}{seen} · called by {callers}, calls {called}"

    def _sentence(self) -> Sentence:
        """What is wrong with it, and whom it may have that from."""
        now, at = self.now, self.at
        errors, p99 = error_value(float(now.nodes.errors[at])), latency_value(float(now.nodes.p99[at]))
        said = [f"{self.ctx.words.text(errors)} of requests fail"] if errors.shape in ("warning", "critical") else []
        said += [f"p99 is {self.ctx.words.text(p99)}"] if p99.shape in ("warning", "critical") else []
        ill = [int(b) for b in now.found.servers[now.found.clients == at] if now.health[b] >= 3 and b != at]
        names = ", ".join(sanitise(now.found.names[i], 40) for i in sorted(ill, key=lambda i: -int(now.health[i]))[:3])
        verb = "is" if len(ill) == 1 else "are"
        if not said:
            firing = alerts_on(self.ctx, self.name)
            said = [f"{plural(len(firing), 'alert fires', 'alerts fire')} here"] if firing else []
        if not said:
            return join("Within its limits.", f" It calls {names}, which {verb} not well." if names else "")
        asks = bool((now.found.clients == at).any())
        more = f" It calls {names}, which {verb} not well either." if names else " What it calls is well." if asks else ""
        return join((f"{' and '.join(said)}.", True), more)

    def _links(self, edges: Which, ends: Places, places: dict[int, int]) -> tuple[LinkRow, ...]:
        rates = np.nan_to_num(self.now.edges.rate[edges])
        order = edges[np.argsort(-rates, kind="stable")][:8]
        return tuple(link_row(self.now, e, int(ends[e]), places.get(int(ends[e]), -1)) for e in order.tolist())

    # ------------------------------------------------------------ figures over time

    def _infos(self, feed: Feed) -> list[SeriesInfo]:
        known = self.ctx.mirror.series
        return [known[row] for row in feed.rows.tolist() if row in known]

    def _failed(self, info: SeriesInfo) -> bool:
        return _FAILED in info.key.tags if self.spans else info.key.name == series.EDGE_FAILED

    def _total(self, failed: bool) -> tuple[Floats, Floats]:
        """Requests a second over time, or those that failed."""
        times, total = _EMPTY, _EMPTY
        for info in self._infos(self.counters):
            if self._failed(info) != failed and (failed or not self.spans):
                continue
            own, values = self.counters.track(info.row, "rate")
            if not len(times):
                times, total = own, np.where(np.isfinite(values), values, 0.0)
            elif len(own) == len(times):
                total = total + np.where(np.isfinite(values), values, 0.0)
        return times, total

    def _then(self) -> str:
        times, values = self._total(False)
        at = int(times.searchsorted(self.ctx.span()[1] - 900.0))
        return f"was {self.ctx.words.say(float(values[at]), PER_SECOND)}" if 0 < at < len(times) else ""

    def _charts(self) -> tuple[ChartView, ...]:
        ctx = self.ctx
        key = (self.name, self.counters.version, self.durations.version, ctx.span(), ctx.profile, ctx.words)
        makers = (("rate", self._rate_chart), ("errors", self._error_chart), ("latency", self._latency_chart))
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

    def _rate_chart(self) -> Chart:
        times, total = self._total(False)
        return self._chart("rate", "Requests", [Track("requests", times, total, PER_SECOND)] if len(times) else [])

    def _error_chart(self) -> Chart:
        times, total = self._total(False)
        when, broken = self._total(True)
        if len(when) != len(times):
            broken = np.zeros(len(times))
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(total > 0, np.clip(broken / total, 0.0, 1.0), 0.0)
        far = float(self.now.nodes.errors[self.at]) > LIMITS.critical_errors
        limit = Limit(LIMITS.warning_errors, "gt", "critical" if far else "warning")
        return self._chart("errors", "Errors", [Track("errors", times, share, RATIO)] if len(times) else [], limit, "of requests")

    def _busiest(self) -> list[tuple[SeriesInfo, float]]:
        told = [(info, self.durations.value(info.row, "rate")) for info in self._infos(self.durations)]
        return sorted(told, key=lambda pair: (-pair[1] if math.isfinite(pair[1]) else math.inf, pair[0].key))

    def _part(self, info: SeriesInfo) -> str:
        """What one line of latency is of: an operation, or whoever calls."""
        tags = dict(info.key.tags)
        return sanitise(tags.get("span_name", "") if self.spans else f"from {tags.get('client', '')}", 60)

    def _latency_chart(self) -> Chart:
        tracks = [
            Track(self._part(info), *self.durations.track(info.row, "p99"), SECONDS, f"series-{n}")
            for n, (info, _) in enumerate(self._busiest()[:LINES], 1)
        ]
        limit = Limit(LIMITS.warning_p99, "gt", "warning")
        return self._chart("latency", "p99 by operation" if self.spans else "p99 by caller", tracks, limit)

    def _operations(self) -> tuple[OperationRow, ...]:
        """The busiest operations with what fails of each."""
        if not self.spans:
            return ()
        totals: dict[str, list[float]] = {}
        for info in self._infos(self.counters):
            rate = self.counters.value(info.row, "rate")
            if math.isfinite(rate):
                name = dict(info.key.tags).get("span_name", "")
                held = totals.setdefault(name, [0.0, 0.0])
                held[0] += rate
                held[1] += rate if self._failed(info) else 0.0
        slow = {dict(info.key.tags).get("span_name", ""): self.durations.value(info.row, "p99") for info, _ in self._busiest()}
        top = sorted(totals.items(), key=lambda item: (-item[1][0], item[0]))[:OPERATIONS]
        return tuple(
            OperationRow(
                sanitise(name, 60),
                value(rate, PER_SECOND),
                error_value(failed / rate if rate > 0 else 0.0),
                latency_value(slow.get(name, math.nan)),
            )
            for name, (rate, failed) in top
        )
