"""Why somebody was, or was not, told of an alert: the steps in the order in which the book decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.alerting.durations import rough_duration
from monitor.alerting.life import cooldown_left, was_told
from monitor.alerting.model import Alert, Rule, Silence, State, WhyStep
from monitor.alerting.schedules import schedule_words
from monitor.alerting.wording import reading, sentence, title

_Check = tuple[str, str, str, bool]
"""Title, detail, action, and whether it stops here."""
_STEPS = ("Rule", "Time it must hold", "Acknowledgement", "Silences", "Cooldown", "Actions")
"""What the steps are called that were not come to."""


def why(alert: Alert, rule: Rule | None, silences: Mapping[str, Silence] | Iterable[Silence], now: float) -> tuple[WhyStep, ...]:
    """Six steps: rule, for, acknowledgement, silence, flapping (where it does), cooldown, actions.

    The first that stopped it says so.

    A firing that was told of has passed them all, whatever happened since. `action` names what would change a step:
    `enable_rule`, `edit_rule`, `release`, `expire_silence:ID`.
    """
    by_id = silences if isinstance(silences, Mapping) else {silence.id: silence for silence in silences}
    told = was_told(alert) and alert.owed == "no"
    checks = (
        _rule(alert, rule),
        _held(alert, rule, now),
        _acknowledged(alert, told, now),
        _silenced(alert, by_id, told, now),
        *((_flapping(alert, told, now),) if alert.flapping is not None else ()),
        _cooldown(alert, rule, told, now),
        _actions(alert, rule, told, now),
    )
    steps = []
    stopped = False
    names = _STEPS if alert.flapping is None else (*_STEPS[:4], "Flapping", *_STEPS[4:])
    for neutral, (heading, detail, action, stops) in zip(names, checks, strict=True):
        if stopped:
            steps.append(WhyStep(neutral, "", "not_reached"))
        else:
            steps.append(WhyStep(heading, detail, "stopped" if stops else "passed", action if stops else ""))
            stopped = stops
    return tuple(steps)


def _rule(alert: Alert, rule: Rule | None) -> _Check:
    if rule is None:
        return "Rule not in force", f"The rule {alert.rule_id} is not in force any more.", "", True
    if not rule.enabled:
        return "Rule switched off", f"{title(rule)} is switched off.", "enable_rule", True
    if alert.no_data:
        return "Rule has no data", f"{reading(alert)} It cannot be judged and keeps firing until the series is gone.", "", False
    return "Rule met", f"{sentence(rule, alert.kind)} {reading(alert)}", "edit_rule", alert.state is State.INACTIVE


def _held(alert: Alert, rule: Rule | None, now: float) -> _Check:
    wait = rule.for_seconds if rule else 0.0
    if alert.state is State.PENDING and alert.active_at is not None:
        left = rough_duration(alert.active_at + wait - now)
        return "Waiting out its time", f"It must hold for {rough_duration(wait)}; {left} to go.", "edit_rule", True
    if alert.state is State.RESOLVED:
        ended = rough_duration(now - (alert.resolved_at or now))
        return "Fired and ended", f"It fired, and ended {ended} ago.", "", False
    since = rough_duration(now - (alert.fired_at or now))
    return "Fired", f"It fires since {since}.", "", False


def _acknowledged(alert: Alert, told: bool, now: float) -> _Check:
    if alert.ack is None:
        return "Nobody has acknowledged it", "", "", False
    until = "until it resolves" if alert.ack.expires is None else f"for another {rough_duration(alert.ack.expires - now)}"
    detail = f"{alert.ack.who} has it since {rough_duration(now - alert.ack.at)}, {until}."
    return f"{alert.ack.who} has acknowledged it", detail, "release", not told


def _silenced(alert: Alert, silences: Mapping[str, Silence], told: bool, now: float) -> _Check:
    if not alert.silenced_by:
        return "No silence matches it", "", "", False
    first = alert.silenced_by[0]
    silence = silences.get(first)
    if silence is None:
        return "Silenced", "A silence that is not known here matches it.", f"expire_silence:{first}", not told
    more = f" (and {len(alert.silenced_by) - 1} more)" if len(alert.silenced_by) > 1 else ""
    if silence.schedule is not None:
        detail = f"Maintenance of {silence.created_by}, {schedule_words(silence.schedule)}: {silence.comment}{more}"
        return f"In the maintenance of {silence.created_by}", detail, f"expire_silence:{first}", not told
    detail = f"{silence.created_by} silenced it for another {rough_duration(silence.ends - now)}: {silence.comment}{more}"
    return f"Silenced by {silence.created_by}", detail, f"expire_silence:{first}", not told


def _flapping(alert: Alert, told: bool, now: float) -> _Check:
    assert alert.flapping is not None
    since = rough_duration(now - alert.flapping.since)
    heard = "that was told" if alert.flapping.told else "nobody has been told yet"
    detail = f"It has been flapping for {since} ({heard}); its turns are not told one by one until it has settled."
    return "Flapping", detail, "edit_rule", not told


def _cooldown(alert: Alert, rule: Rule | None, told: bool, now: float) -> _Check:
    if rule is None or told:
        return "No cooldown in the way", "", "", False
    left = cooldown_left(alert, rule, now)
    # A firing that ended before its cooldown did was kept back by it, even if the cooldown is over by now.
    ended_within = (
        alert.state is State.RESOLVED and alert.resolved_at is not None and cooldown_left(alert, rule, alert.resolved_at) > 0
    )
    if (left > 0 and alert.owed != "at_once") or ended_within:
        ago = rough_duration(now - (alert.last_notified or now))
        rest = f"; {rough_duration(left)} to go" if left > 0 else ""
        detail = f"The firing before was told of {ago} ago; the rule waits {rough_duration(rule.cooldown)} between two{rest}."
        return "Held back by its cooldown", detail, "edit_rule", True
    return "No cooldown in the way", "It is over, or nobody was told lately.", "", False


def _actions(alert: Alert, rule: Rule | None, told: bool, now: float) -> _Check:
    if rule is not None and not rule.actions:
        return "No action", "The rule has no action; write one into it.", "edit_rule", True
    names = ", ".join(rule.actions) if rule else ""
    if told and alert.last_notified is not None:
        return f"Told by {names}", f"{rough_duration(now - alert.last_notified)} ago.", "", False
    if alert.state is State.RESOLVED:
        return "Nobody was told", "It ended before anything could be told.", "", True
    return f"{names} is next", f"{names} is told at the next judgement.", "", False
