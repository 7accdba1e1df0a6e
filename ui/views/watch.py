"""What follows from what the collector tells: lists refreshed, new alerts told, the link's return said."""

from __future__ import annotations

from monitor.alerting.model import Alert, State
from ui.views.banner import back_words
from ui.views.context import Context
from ui.views.format import sanitise

WARN_SECONDS = 600.0


class Watch:
    """Remembers what fired and since when the link is lost."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._firing: set[str] | None = None
        self._lost_since = 0.0
        self._lost_at = 0.0
        self._back = False
        self._warned: set[str] = set()

    def changed(self, what: set[str]) -> None:
        """The mirror's changes, by name."""
        ctx = self.ctx
        ctx.live_present()
        ctx.live.changed(what)
        if "alerts" in what:
            self._tell_new()
        if "health" in what:
            self._warn_of_ends()
        if "link" in what:
            self._link()
        if self._back and "frame" in what and ctx.live.mirror.time > self._lost_at:
            self._back = False
            ctx.say(back_words(ctx, self._lost_at))

    def _link(self) -> None:
        mirror = self.ctx.live.mirror
        if mirror.hello is None:
            return
        if not mirror.connected and not self._lost_since:
            self._lost_since, self._lost_at, self._back = self.ctx.now(), mirror.time, False
        elif mirror.connected and self._lost_since:
            self._lost_since, self._back = 0.0, True

    def _warn_of_ends(self) -> None:
        """Your own silence says ten minutes before its end that it ends."""
        ctx, present = self.ctx, self.ctx.live_present()
        for silence in ctx.live.mirror.silences.values():
            ending = 0 < silence.ends - present <= WARN_SECONDS and not silence.expired_by
            if ending and silence.created_by == ctx.who and silence.id not in self._warned:
                self._warned.add(silence.id)
                what = sanitise(", ".join(str(m) for m in silence.matchers), 80)
                ctx.say(f"Your silence on {what} ends at {ctx.words.minute(silence.ends)}.")
        self._warned &= set(ctx.live.mirror.silences)

    def _tell_new(self) -> None:
        """Newly firing alerts that nobody silenced; those of the first list are not new."""
        live = self.ctx.live
        firing = {a.id: a for a in live.mirror.alerts.values() if a.state is State.FIRING and not a.silenced_by}
        if self._firing is not None:
            for number in firing.keys() - self._firing:
                self.ctx.hooks.notify(live.book.title(firing[number]), self.line(firing[number]), firing[number].severity)
        if self._firing is not None or live.mirror.alerts_time:
            self._firing = set(firing)

    def line(self, alert: Alert) -> str:
        """One line of an alert: `orders-db: 1.86 s, above 1 s since 14:03:40.`"""
        present = self.ctx.live_present()
        row = self.ctx.live.book.row(alert, present, self.ctx.words)
        since = self.ctx.words.moment(alert.fired_at or alert.since, present, seconds=True)
        return sanitise(f"{row.where}: {self.ctx.words.text(row.value)}, {row.limit} since {since}.")
