"""What a person does to alerts: acknowledge, release, note. Each answers in words and can be undone."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.alerting.model import AckUntil, Alert, State
from monitor.wire import messages as m
from ui.views import silenceacts
from ui.views.context import Context
from ui.views.format import plural, sanitise

begin_silence, expire, save_silence = silenceacts.begin, silenceacts.expire, silenceacts.save

ACK_SECONDS = 3600.0
"""An acknowledgement holds an hour: then somebody has to look again."""


def acknowledge(ctx: Context, alerts: Sequence[Alert], until: AckUntil = "resolved") -> None:
    """Say that you have them; when all are acknowledged so already, release them.

    `until` "resolved" holds an hour, "change" until one gets worse, another of its group begins, or it resolves.
    """
    live = [a for a in alerts if a.state in (State.FIRING, State.PENDING)]
    if not live:
        ctx.say("Nothing to acknowledge: it has resolved.")
        return
    if all(a.ack is not None and (until == "resolved" or a.ack.until == until) for a in live):
        release(ctx, [a.id for a in live])
        return
    ids = tuple(a.id for a in live if a.ack is None or (until == "change" and a.ack.until != until))
    expires = ctx.present() + ACK_SECONDS if until == "resolved" else None

    def done(result: object) -> None:
        many = f"{plural(len(ids), 'alert')} acknowledged" if len(ids) > 1 else "Acknowledged"
        end = f"until {ctx.words.moment(expires, ctx.present())}" if expires is not None else "until it changes or resolves"
        ctx.remember("acknowledge", lambda: release(ctx, list(ids)))
        ctx.say(f"{many} {end}. The others see your name.", undo="Undo")

    ctx.request(m.Acknowledge(0, ids, ctx.who, expires=expires, until=until), done)


def release(ctx: Context, ids: Sequence[str]) -> None:
    """Take acknowledgements back."""
    held = [ack for i in ids if i in ctx.mirror.alerts and (ack := ctx.mirror.alerts[i].ack) is not None]

    def again() -> None:
        expires = next((ack.expires for ack in held if ack.expires is not None), None)
        note = next((ack.note for ack in held if ack.note), "")
        until: AckUntil = "change" if any(ack.until == "change" for ack in held) else "resolved"
        request = m.Acknowledge(0, tuple(ids), ctx.who, note, expires, until)
        ctx.request(request, lambda _: ctx.say("Acknowledged again."))

    def done(result: object) -> None:
        ctx.remember("release", again)
        what = plural(len(ids), "alert") if len(ids) > 1 else "Alert"
        ctx.say(f"{what} released: nobody has {'them' if len(ids) > 1 else 'it'} now.", undo="Undo")

    ctx.request(m.Release(0, tuple(ids), ctx.who), done)


def note(ctx: Context, alert: Alert, text: str) -> None:
    """A note in the alert's history."""
    written = text.strip()
    if not written:
        ctx.say("Nothing was written.")
        return
    ctx.request(m.AddNote(0, alert.id, written, ctx.who), lambda _: ctx.say(f"Noted on {ctx.book.title(alert)}."))


def undo(ctx: Context) -> None:
    """Take the last act back."""
    if ctx.undo:
        ctx.dismiss()
        ctx.undo.pop().act()


def cannot(ctx: Context, alerts: Sequence[Alert], action: str) -> str:
    """Why an action on these alerts is off; "" when it is on."""
    refusal = ctx.refusal()
    if action == "alert.silence":  # a draft can be written without a collector
        return "" if alerts or ctx.desk.silence is not None else "No alert is chosen."
    if not alerts:
        return "No alert is chosen."
    if refusal:
        return refusal
    if action.startswith("alert.acknowledge") and not any(a.state in (State.FIRING, State.PENDING) for a in alerts):
        return f"{sanitise(ctx.book.title(alerts[0]))} has resolved: nothing to acknowledge."
    return ""
