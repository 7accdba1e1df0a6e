"""What a person does to alerts: acknowledge, release, silence, end a silence, note. Each answers in words and can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.alerting.model import Alert, Silence, State
from monitor.wire import messages as m
from ui.views import silencedraft
from ui.views.context import Context
from ui.views.drafts import SilenceDraft
from ui.views.format import plural, sanitise

ACK_SECONDS = 3600.0
"""An acknowledgement holds an hour: then somebody has to look again."""


def acknowledge(ctx: Context, alerts: Sequence[Alert]) -> None:
    """Say that you have them; when all are acknowledged already, release them."""
    live = [a for a in alerts if a.state in (State.FIRING, State.PENDING)]
    if not live:
        ctx.say("Nothing to acknowledge: it has resolved.")
        return
    if all(a.ack is not None for a in live):
        release(ctx, [a.id for a in live])
        return
    ids = tuple(a.id for a in live if a.ack is None)
    expires = ctx.present() + ACK_SECONDS

    def done(result: object) -> None:
        until = ctx.words.moment(expires, ctx.present())
        many = f"{plural(len(ids), 'alert')} acknowledged" if len(ids) > 1 else "Acknowledged"
        ctx.remember("acknowledge", lambda: release(ctx, list(ids)))
        ctx.say(f"{many} until {until}. The others see your name.", undo="Undo")

    ctx.request(m.Acknowledge(0, ids, ctx.who, expires=expires), done)


def release(ctx: Context, ids: Sequence[str]) -> None:
    """Take acknowledgements back."""
    held = {i: ctx.mirror.alerts[i].ack for i in ids if i in ctx.mirror.alerts}

    def again() -> None:
        expires = next((a.expires for a in held.values() if a is not None and a.expires is not None), None)
        note = next((a.note for a in held.values() if a is not None and a.note), "")
        ctx.request(m.Acknowledge(0, tuple(ids), ctx.who, note, expires), lambda _: ctx.say("Acknowledged again."))

    def done(result: object) -> None:
        ctx.remember("release", again)
        what = plural(len(ids), "alert") if len(ids) > 1 else "Alert"
        ctx.say(f"{what} released: nobody has {'them' if len(ids) > 1 else 'it'} now.", undo="Undo")

    ctx.request(m.Release(0, tuple(ids), ctx.who), done)


def begin_silence(ctx: Context, alerts: Sequence[Alert]) -> None:
    """A draft for these alerts; one that a person has typed in is kept instead."""
    held = ctx.desk.silence
    ids = tuple(a.id for a in alerts)
    if held is not None and held.touched and held.alerts != ids:
        ctx.say("Your draft is still here. Save it or press Ctrl D to discard it.")
    elif held is None or not held.touched:
        ctx.desk.silence = SilenceDraft(silencedraft.matchers_for_alerts(alerts), alerts=ids)
    ctx.focus = "silence.reason"


def save_silence(ctx: Context) -> bool:
    """Send the draft; it is kept until the collector has taken it. False when something is missing."""
    draft = ctx.desk.silence
    if draft is None:
        return False
    checked = silencedraft.check(draft, ctx)
    if checked.error:
        ctx.say(checked.error, error=True)
        ctx.focus = f"silence.{checked.field}" if checked.field else ctx.focus
        return False
    present = ctx.present()
    request = m.AddSilence(0, checked.matchers, present, checked.ends, draft.reason.strip(), ctx.who, draft.end_when_resolved)

    def done(result: object) -> None:
        answer: dict[str, Any] = result if isinstance(result, dict) else {}
        count = len(answer.get("matched", ()))
        silence = str(answer.get("silence", ""))
        if ctx.desk.silence == draft:
            ctx.desk.silence = None
            ctx.focus = "" if ctx.focus.startswith("silence.") else ctx.focus
        if silence:
            ctx.remember("silence", lambda: expire(ctx, silence, quiet=True))
        until = ctx.words.moment(checked.ends, ctx.present())
        what = f"{plural(count, 'alert')} silenced" if count else "Silence set"
        ctx.say(f"{what} until {until}.", undo="Undo" if silence else "")

    ctx.request(request, done, lambda error: ctx.say(f"Not silenced: {error} The draft is kept.", error=True))
    return True


def expire(ctx: Context, silence: str, quiet: bool = False) -> None:
    """End a silence now. What it was can be set again by undo."""
    held = ctx.mirror.silences.get(silence)

    def done(result: object) -> None:
        if held is not None and not quiet:
            ctx.remember("end of the silence", lambda: renew(ctx, held))
        ctx.say("Silence ended: its alerts tell people again.", undo="" if quiet or held is None else "Undo")

    ctx.request(m.ExpireSilence(0, silence, ctx.who), done)


def renew(ctx: Context, silence: Silence) -> None:
    """Set an ended silence again until its old end."""
    request = m.AddSilence(0, silence.matchers, ctx.present(), silence.ends, silence.comment, ctx.who, silence.end_when_resolved)
    ctx.request(request, lambda _: ctx.say(f"Silenced again until {ctx.words.moment(silence.ends, ctx.present())}."))


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
    if action == "alert.acknowledge" and not any(a.state in (State.FIRING, State.PENDING) for a in alerts):
        return f"{sanitise(ctx.book.title(alerts[0]))} has resolved: nothing to acknowledge."
    return ""
