"""The silences of the Alerts page: their order, and each in words."""

from __future__ import annotations

from monitor.alerting.model import Silence
from ui.views import silencedraft
from ui.views.context import Context
from ui.views.format import plural, sanitise
from ui.views.view import SilenceRow


def silences(ctx: Context) -> list[Silence]:
    """Silences that hold or will, those that end first on top; then those that ended within the last hour."""
    present = ctx.present()
    alive = [s for s in ctx.mirror.silences.values() if s.ends > present and not s.expired_by]
    over = [s for s in ctx.mirror.silences.values() if s.expired_by or present - 3600 < s.ends <= present]
    return sorted(alive, key=lambda s: (s.ends, s.id)) + sorted(over, key=lambda s: (-s.ends, s.id))[:20]


def row(ctx: Context, silence: Silence) -> SilenceRow:
    """A silence in words; one that matches nothing says so, one about to end too."""
    present, words = ctx.present(), ctx.words
    held_back = ctx.book.silenced_count(silence.id)
    state = "active"
    until = f"until {words.moment(silence.ends, present)}"
    if silence.expired_by or silence.ends <= present:
        state, until = "ended", f"ended {words.moment(silence.ends, present)}"
    elif silence.starts > present:
        state, until = "waiting", f"from {words.moment(silence.starts, present)} {until}"
    else:
        until = silencedraft.warning_before_end(silence.ends, present) or until
    if silence.end_when_resolved and state != "ended":
        until += " or resolved"
    return SilenceRow(
        id=silence.id,
        state=state,
        matchers=sanitise(", ".join(str(m) for m in silence.matchers), 240),
        until=until,
        by=sanitise(silence.created_by, 40),
        comment=sanitise(silence.comment, 240),
        matches=plural(held_back, "alert") if held_back else "matches nothing" if state == "active" else "",
    )
