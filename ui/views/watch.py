"""What follows from what the collector tells: lists refreshed, new alerts told, the link's return said."""

from __future__ import annotations

from monitor.alerting.model import Alert, State
from ui.views.banner import back_words
from ui.views.context import Context
from ui.views.format import sanitise


class Watch:
    """Remembers what fired and since when the link is lost."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._firing: set[str] | None = None
        self._lost_since = 0.0

    def changed(self, what: set[str]) -> None:
        """The mirror's changes, by name."""
        ctx = self.ctx
        ctx.present()
        if "alerts" in what or "rules" in what:
            ctx.book.refresh()
        if "alerts" in what:
            self._tell_new()
        if "health" in what:
            ctx.rates.add(ctx.mirror.health)
        if "link" in what:
            self._link()

    def _link(self) -> None:
        ctx = self.ctx
        if not ctx.mirror.connected:
            self._lost_since = self._lost_since or (ctx.now() if ctx.mirror.hello is not None else 0.0)
        elif self._lost_since:
            ctx.say(back_words(ctx, self._lost_since))
            self._lost_since = 0.0

    def _tell_new(self) -> None:
        """Newly firing alerts that nobody silenced; those of the first list are not new."""
        firing = {a.id: a for a in self.ctx.mirror.alerts.values() if a.state is State.FIRING and not a.silenced_by}
        if self._firing is not None:
            for number in firing.keys() - self._firing:
                self.ctx.hooks.notify(self.ctx.book.title(firing[number]), self.line(firing[number]), firing[number].severity)
        if self._firing is not None or self.ctx.mirror.alerts_time:
            self._firing = set(firing)

    def line(self, alert: Alert) -> str:
        """One line of an alert: `orders-db: 1.86 s, above 1 s since 14:03:40.`"""
        row = self.ctx.book.row(alert, self.ctx.present(), self.ctx.words)
        since = self.ctx.words.moment(alert.fired_at or alert.since, self.ctx.present(), seconds=True)
        return sanitise(f"{row.where}: {self.ctx.words.text(row.value)}, {row.limit} since {since}.")
