"""What a person does to silences: begin one, change it, end it, renew it. What is refused keeps its draft."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from monitor.alerting.model import Alert, Silence
from monitor.wire import messages as m
from monitor.wire.messages import Request
from ui.views import silencedraft
from ui.views.context import Context
from ui.views.drafts import SilenceDraft
from ui.views.format import plural

CONFIRM = "confirm that you mean it"
"""How the collector ends its refusal of a silence that would keep very many quiet: the one that may be sent again unguarded."""


def begin(ctx: Context, alerts: Sequence[Alert]) -> None:
    """A draft for these alerts; one that a person has typed in is kept instead."""
    held = ctx.desk.silence
    ids = tuple(a.id for a in alerts)
    if held is not None and held.touched and (held.alerts != ids or held.silence):
        ctx.say("Your draft is still here. Save it or press Ctrl D to discard it.")
    elif held is None or not held.touched:
        ctx.desk.silence = SilenceDraft(silencedraft.matchers_for_alerts(alerts), alerts=ids)
    ctx.focus = "silence.reason"


def edit(ctx: Context, silence: Silence) -> None:
    """A draft that changes this silence; one that a person has typed in is kept instead."""
    held = ctx.desk.silence
    if held is not None and held.touched and held.silence != silence.id:
        ctx.say("Your draft is still here. Save it or press Ctrl D to discard it.")
    elif held is None or held.silence != silence.id:
        ctx.desk.silence = silencedraft.draft_of(silence, ctx)
    ctx.focus = "silence.duration"


def save(ctx: Context) -> bool:
    """Send the draft; it is kept until the collector has taken it. False when something is missing."""
    draft = ctx.desk.silence
    if draft is None:
        return False
    checked = silencedraft.check(draft, ctx)
    if checked.error:
        ctx.say(checked.error, error=True)
        ctx.focus = f"silence.{checked.field}" if checked.field else ctx.focus
        return False
    guard = ctx.desk.refused is None or ctx.desk.refused[0] != draft
    ctx.desk.refused = None

    def failed(error: str) -> None:
        if guard and CONFIRM in error and ctx.desk.silence == draft:
            ctx.desk.refused = draft, error
            ctx.say("Not saved yet. Save once more to do it anyway.")
        else:
            ctx.say(f"{'Not changed' if draft.silence else 'Not silenced'}: {error} The draft is kept.", error=True)

    if draft.silence:
        _change(ctx, draft, checked, guard, failed)
    else:
        _add(ctx, draft, checked, guard, failed)
    return True


def _saved(ctx: Context, draft: SilenceDraft) -> None:
    """The collector has taken the draft."""
    if ctx.desk.silence == draft:
        ctx.desk.silence = None
        ctx.focus = "" if ctx.focus.startswith("silence.") else ctx.focus


def _add(ctx: Context, draft: SilenceDraft, checked: silencedraft.Checked, guard: bool, failed: Callable[[str], None]) -> None:
    comment, early = draft.reason.strip(), draft.end_when_resolved
    request = m.AddSilence(0, checked.matchers, ctx.present(), checked.ends, comment, ctx.who, early, guard=guard)

    def done(result: object) -> None:
        answer: dict[str, Any] = result if isinstance(result, dict) else {}
        count = len(answer.get("matched", ()))
        silence = str(answer.get("silence", ""))
        _saved(ctx, draft)
        if silence:
            ctx.remember("silence", lambda: expire(ctx, silence, quiet=True))
        until = ctx.words.moment(checked.ends, ctx.present())
        what = f"{plural(count, 'alert')} silenced" if count else "Silence set"
        ctx.say(f"{what} until {until}.", undo="Undo" if silence else "")

    ctx.request(request, done, failed)


def _change(ctx: Context, draft: SilenceDraft, checked: silencedraft.Checked, guard: bool, failed: Callable[[str], None]) -> None:
    before = ctx.mirror.silences.get(draft.silence)
    ends = None if checked.ends == draft.ends else checked.ends
    request: Request = m.EditSilence(0, draft.silence, ctx.who, checked.matchers, ends, draft.reason.strip(), guard)

    def done(result: object) -> None:
        held = str(result.get("silence", "")) if isinstance(result, dict) else ""
        _saved(ctx, draft)
        until = ctx.words.moment(checked.ends, ctx.present())
        undo = before is not None and bool(held)
        if before is not None and undo:
            ctx.remember("change of the silence", lambda: _put_back(ctx, held, before))
        ctx.say(f"Silence changed: it holds until {until}.", undo="Undo" if undo else "")

    ctx.request(request, done, failed)


def _put_back(ctx: Context, held: str, before: Silence) -> None:
    """Make a silence what it was; one that was renewed is ended again."""
    if before.expired_by or before.ends <= ctx.present():
        expire(ctx, held, quiet=True)
        return
    request = m.EditSilence(0, held, ctx.who, before.matchers, before.ends, before.comment)
    ctx.request(request, lambda _: ctx.say("The silence is as it was."))


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
