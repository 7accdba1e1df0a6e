"""A silence in the making: matchers from the alerts it is meant for, its end, what it would match, why it cannot be saved yet."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitor.alerting.durations import DurationError, parse_duration
from monitor.alerting.model import Alert, Rule, Silence, State
from monitor.model.matchers import NAME_TAG, Matcher, Selector, SelectorError, parse_matchers
from ui.views.alertbook import gravest_first
from ui.views.context import Context
from ui.views.drafts import SilenceDraft
from ui.views.format import duration, plural, sanitise
from ui.views.view import AlertRow, SilenceDraftView

MAX_ALTERNATIVES = 8
DAY = 86_400.0
LONGEST = 366 * DAY
DURATIONS = ("30m", "2h", "8h", "1d")
_UNTIL = re.compile(r"(?:until\s+)?(?:(tomorrow)\s+)?(\d{1,2}):(\d{2})", re.IGNORECASE)
_ESCAPED = re.compile(r"([\\.+*?()|\[\]{}^$])")


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft as it would be saved: `error` says what is in the way, `column` where in the matchers (0: nowhere)."""

    matchers: tuple[Matcher, ...] = ()
    ends: float = 0.0
    error: str = ""
    field: str = ""


def matchers_for_alerts(alerts: Sequence[Alert]) -> str:
    """Matchers that meet all of these alerts and as few others as labels allow."""
    labels = [{n: v for n, v in a.labels if n != "severity"} for a in alerts]
    if not labels:
        return ""
    names = [n for n in labels[0] if all(n in other for other in labels)]
    same = [n for n in names if len({other[n] for other in labels}) == 1]
    matchers: list[Matcher] = []
    for name in sorted(names, key=lambda n: (n != "alertname", n)):
        values = sorted({other[name] for other in labels})
        if name == NAME_TAG and (len(values) > 1 or "alertname" in same):
            continue
        if len(values) == 1:
            matchers.append(Matcher(name, "=", values[0]))
        elif len(values) <= MAX_ALTERNATIVES:
            pattern = "|".join(_ESCAPED.sub(r"\\\1", v) for v in values)
            if len(pattern) < 500:
                matchers.append(Matcher(name, "=~", pattern))
    return ", ".join(str(m) for m in matchers)


def draft_of(silence: Silence, ctx: Context) -> SilenceDraft:
    """The draft that changes a silence: its end stays unless another is written; one that is over begins anew."""
    present = ctx.present()
    left = silence.ends - present
    kept = ""
    if left > 0 and not silence.expired_by:
        kept = f"until {ctx.words.at(silence.ends):%H:%M}" if left < DAY else f"{math.ceil(left / 3600)}h"
    return SilenceDraft(
        ", ".join(str(m) for m in silence.matchers),
        kept or "2h",
        silence.comment,
        silence.end_when_resolved,
        silence=silence.id,
        ends=silence.ends,
        kept=kept,
    )


def end_of(text: str, now: float, ctx: Context) -> float:
    """The end of a silence written as `45m`, `2h`, `1 h 30 min`, `until 15:06` or `tomorrow 9:00`. Raises `DurationError`."""
    written = text.strip()
    clock = _UNTIL.fullmatch(written)
    if clock is not None:
        hour, minute = int(clock[2]), int(clock[3])
        if hour > 23 or minute > 59:
            raise DurationError(f"{hour}:{minute:02} is not a time of day")
        here = ctx.words.at(now)
        end = here.replace(hour=hour, minute=minute, second=0, microsecond=0)
        if clock[1] or end <= here:
            end += timedelta(days=1)
        return end.timestamp()
    try:
        seconds = parse_duration(written)
    except DurationError as error:
        if not error.fix:
            raise DurationError("write how long: 45m, 2h, 1d or until 15:06") from None
        seconds = parse_duration(error.fix)
    if seconds < 60:
        raise DurationError("a silence lasts a minute at least")
    if seconds > LONGEST:
        raise DurationError("a silence lasts a year at most")
    return now + seconds


def check(draft: SilenceDraft, ctx: Context) -> Checked:
    """What would be saved, or the first thing that is missing."""
    present = ctx.present()
    try:
        matchers = parse_matchers(draft.matchers)
    except SelectorError as error:
        return Checked(error=f"Matches, column {error.column}: {error}.", field="matchers")
    if not matchers:
        return Checked(error="Say what it matches, as in service=orders.", field="matchers")
    if all(m.test("") for m in matchers):
        return Checked(matchers, error="This would match everything. Name at least one label it must have.", field="matchers")
    keeps = bool(draft.silence) and draft.duration == draft.kept and draft.ends > present
    try:
        ends = draft.ends if keeps else end_of(draft.duration, present, ctx)
    except DurationError as error:
        return Checked(matchers, error=f"For: {error}.", field="duration")
    if not draft.reason.strip():
        return Checked(matchers, ends, "Say why: the others will read it.", "reason")
    return Checked(matchers, ends)


def matched(matchers: Sequence[Matcher], alerts: Iterable[Alert]) -> list[Alert]:
    """Alerts firing or pending now that these matchers meet, gravest first."""
    if not matchers:
        return []
    selector = Selector(tuple(matchers))
    live = [a for a in alerts if a.state in (State.FIRING, State.PENDING) and selector.matches_tags(dict(a.labels))]
    return sorted(live, key=gravest_first)


def could_match(matchers: Sequence[Matcher], rule: Rule) -> bool:
    """Whether alerts of a rule can have labels that the matchers meet: what the rule fixes must agree, the rest may."""
    fixed: dict[str, str] = {"alertname": rule.id, "severity": rule.severity, **dict(rule.labels)}
    for own in rule.selector.matchers:
        if own.op == "=" and own.value:
            fixed.setdefault(own.name, own.value)
    open_ = {own.name for own in rule.selector.matchers if own.op != "="}
    return all(m.name in open_ or m.name not in fixed or m.test(fixed[m.name]) for m in matchers)


def view(draft: SilenceDraft, ctx: Context, rows: int = 8) -> SilenceDraftView:
    """The drawer: what it silences now, what it could, and the button that says so."""
    checked = check(draft, ctx)
    present, words = ctx.present(), ctx.words
    found = matched(checked.matchers, ctx.mirror.alerts.values())
    firing = [a for a in found if a.state is State.FIRING]
    still = [a for a in ctx.book.firing if a.id not in {f.id for f in found}]
    refused = ctx.desk.refused[1] if ctx.desk.refused is not None and ctx.desk.refused[0] == draft else ""
    return SilenceDraftView(
        matchers=draft.matchers,
        duration=draft.duration,
        until=f"until {words.moment(checked.ends, present)}" if checked.ends else "",
        end_when_resolved=draft.end_when_resolved,
        reason=draft.reason,
        chips=tuple(sanitise(str(m), 80) for m in checked.matchers),
        preview_title=_title(found, firing, checked, ctx.book.rules),
        preview=tuple(_row(a, ctx) for a in found[:rows]),
        preview_note=_note(found, still, rows, ctx),
        button=_button(len(found), bool(draft.silence), bool(refused)),
        error=checked.error,
        field=draft.field if draft.field in ("matchers", "duration", "reason", "end") else "reason",  # type: ignore[arg-type]
        refused=refused,
        editing=bool(draft.silence),
    )


def _button(count: int, editing: bool, anyway: bool) -> str:
    words = "Change the silence" if editing else f"Silence {plural(count, 'alert')}" if count else "Silence"
    return f"{words} anyway" if anyway else words


def _row(alert: Alert, ctx: Context) -> AlertRow:
    return ctx.book.row(alert, ctx.present(), ctx.words)


def _title(found: list[Alert], firing: list[Alert], checked: Checked, rules: Mapping[str, Rule]) -> str:
    if checked.field == "matchers":
        return "Matches nothing yet."
    possible = sum(could_match(checked.matchers, rule) for rule in rules.values())
    tail = f", and {possible} of {plural(len(rules), 'rule')} could match" if rules else ""
    if not found:
        return "Matches nothing now. It will still hold for new alerts." + (
            f" {possible} of {plural(len(rules), 'rule')} could match." if rules else ""
        )
    if len(firing) == len(found):
        return f"Silences {plural(len(found), 'alert')} firing now{tail}."
    return f"Silences {plural(len(found), 'alert')}, {len(firing)} firing now{tail}."


def _note(found: list[Alert], still: list[Alert], rows: int, ctx: Context) -> str:
    parts = []
    if len(found) > rows:
        parts.append(f"and {len(found) - rows} more.")
    already = sum(bool(a.silenced_by) for a in found)
    if already:
        parts.append(f"{already} of them {'is' if already == 1 else 'are'} silenced already.")
    told = sum(a.notified_count for a in found)
    if told:
        parts.append(f"{'It has' if len(found) == 1 else 'They have'} told people {plural(told, 'time')} so far.")
    if still:
        rest = f" and {plural(len(still) - 1, 'other')}" if len(still) > 1 else ""
        parts.append(f"{ctx.book.title(still[0])}{rest} still {'tells' if len(still) == 1 else 'tell'} people.")
    return " ".join(parts)


def warning_before_end(ends: float, present: float) -> str:
    """`ends in 8 min` within the last ten minutes, else ""."""
    left = ends - present
    return f"ends in {duration(max(60.0, left // 60 * 60))}" if 0 < left <= 600 else ""
