"""Ways between pages: from an alert to its chart or rule, from a series to a rule, and wherever the palette leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.alerting.model import Alert
from monitor.model.series import SeriesInfo
from ui.views import alertacts as acts
from ui.views.format import sanitise
from ui.views.moments import moment_of
from ui.views.view import PaletteRow

if TYPE_CHECKING:
    from ui.views.session import Session


class Navigation:
    """Ties the pages together; the pages themselves do not know each other."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.goto_text = ""
        session.ctx.go = session.go
        session.overview.open_alert = self.to_alert
        session.overview.open_series = self.to_series
        session.topology.open_series = self.to_series
        session.topology.open_alert = self._to_alert_of
        session.topology.open_trace = self.open_trace
        session.topology.open_traces = self.open_traces
        session.topology.open_logs = self.open_logs
        session.traces.handlers["traces.map"] = self.to_map
        session.alerts.open_series = self.to_chart
        session.alerts.open_rule = self.to_rule
        session.explore.make_rule = self.to_new_rule
        session.explore.exemplars.open_trace = self.open_trace
        session.palette.more.append(session.explore.kept.rows)
        session.palette.more.append(session.traces.palette_rows)

    def follow(self, row: PaletteRow) -> None:
        """Do what a row of the palette says."""
        kind, _, target = row.target.partition(":")
        session = self.session
        if not row.enabled and kind != "action":
            session.ctx.say(row.detail)
        elif kind == "action":
            session.perform(target)
        elif kind == "alert":
            alert = session.ctx.mirror.alerts.get(target)
            if alert is not None:
                self.to_alert(alert)
        elif kind in ("silence", "acknowledge"):
            self._act(kind, target)
        elif kind == "rule":
            self.to_rule(target)
        elif kind in ("query", "forget"):
            if session.explore.kept.follow(kind, target):
                session.go("explore")
        elif kind == "trace":
            self.open_trace(target)
        elif kind == "series":
            self.to_series(int(target))
        elif kind == "time":
            self.to_time(float(target))
        elif kind == "span":
            start, _, end = target.partition(":")
            self.to_span(float(start), float(end))

    def to_alert(self, alert: Alert) -> None:
        """The alert in the console."""
        self.session.go("alerts")
        self.session.alerts.seek(alert)

    def _act(self, what: str, alert_id: str) -> None:
        """An act on one alert, whatever else is marked and wherever the cursor is."""
        ctx = self.session.ctx
        alert = ctx.mirror.alerts.get(alert_id)
        reason = acts.cannot(ctx, [alert], f"alert.{what}") if alert is not None else "This alert is gone."
        if alert is None or reason:
            ctx.say(reason)
            return
        self.to_alert(alert)
        (acts.begin_silence if what == "silence" else acts.acknowledge)(ctx, [alert])

    def to_chart(self, alert: Alert) -> None:
        """The alert's series in Explore, with the field and window its rule judges."""
        session = self.session
        if alert.series is None:
            session.ctx.say("This alert names no series.")
            return
        rule = session.ctx.book.rules.get(alert.rule_id)
        session.explore.show(alert.series, session.ctx.book.field(alert), rule.condition.window if rule else 0.0)
        time, onset = session.ctx.time, alert.fired_at or alert.since
        age = session.ctx.present() - onset
        while age < session.ctx.recent and time.range < 1.3 * age and time.step(1, session.ctx.recent):
            pass
        session.go("explore")

    def to_series(self, row: int) -> None:
        """A series alone on Explore's chart."""
        info = self.session.ctx.mirror.series.get(row)
        if info is None:
            self.session.ctx.say("This series is gone.")
            return
        self.session.explore.show(info.key)
        self.session.go("explore")

    def to_rule(self, rule_id: str) -> None:
        """The rule in the list of rules."""
        if self.session.rules.seek(rule_id):
            self.session.go("rules")
        else:
            self.session.ctx.say(f"No rule {sanitise(rule_id, 60)} is in force.")

    def to_new_rule(self, info: SeriesInfo, field: str, window: float) -> None:
        """A draft of a rule on a series."""
        self.session.go("rules")
        self.session.rules.start_on(info, field, window)

    def open_trace(self, trace: str, span: str = "") -> None:
        """A trace by its id, with the cursor on a span of it."""
        self.session.traces.show_trace(trace, span)
        self.session.go("traces")

    def open_traces(self, service: str = "", operation: str = "", error: bool = False) -> None:
        """Traces of a service, of an operation, or those that failed."""
        self.session.traces.show_traces(service, operation, error)
        self.session.go("traces")

    def open_logs(self, service: str = "", trace: str = "") -> None:
        """Logs of a service or a trace."""
        self.session.traces.show_logs(service, trace)
        self.session.go("traces")

    def _to_alert_of(self, alert_id: str) -> None:
        alert = self.session.ctx.mirror.alerts.get(alert_id)
        if alert is None:
            self.session.ctx.say("This alert is gone.")
        else:
            self.to_alert(alert)

    def to_map(self) -> None:
        """The service of what Traces & logs has under its cursor as an open node of the map."""
        traces = self.session.traces
        opened = traces.opened
        found = opened.current() if opened is not None else traces.searching.current()
        if found is None:
            self.session.ctx.say("Choose a span, a trace or a record first.")
        elif self.session.topology.show(found.service):
            self.session.go("topology")
        else:
            name = sanitise(found.service, 60) or "A service without a name"
            self.session.ctx.say(f"{name} is not on the map: it answered no request lately that its spans tell of.")

    def to_time(self, at: float) -> None:
        """Rewind to the moment; where that cannot be, stand still with it in the middle of what is shown."""
        ctx = self.session.ctx
        if ctx.past.possible:
            self.session.rewinding.go(at)
            return
        present = ctx.present()
        ctx.time.zoomed = None
        ctx.time.pause(present)
        ctx.time.end = min(present, max(at + ctx.time.range / 2, present - ctx.recent + ctx.time.range))
        self.session.explore.at = at

    def to_span(self, start: float, end: float) -> None:
        """Look at just this stretch, everything as it was at its end."""
        ctx = self.session.ctx
        present = ctx.live_present()
        if ctx.past.possible and end < present:
            self.session.rewinding.go(end, (start, end))
        else:
            self.session.rewinding.live()
            ctx.time.zoom(max(start, present - ctx.recent), min(end, present), present)

    def submit_goto(self) -> None:
        """Go to the moment that was typed."""
        ctx = self.session.ctx
        at = moment_of(self.goto_text, ctx)
        if at is None:
            ctx.say("Write a time as 03:30, yesterday 9:00 or -10m.", error=True)
        elif not ctx.live_present() - ctx.recent_live <= at <= ctx.live_present():
            kept = ctx.words.moment(ctx.live_present() - ctx.recent_live, ctx.live_present())
            ctx.say(f"Only what came since {kept} is kept here.")
        else:
            self.goto_text, ctx.focus = "", ""
            self.to_time(at)
