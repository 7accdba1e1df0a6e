"""Silences: what may be one, what it matches, and when the set of active ones changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec.structs import replace

from monitor.alerting.fingerprint import fingerprint
from monitor.alerting.model import Alert, Schedule, Silence, State
from monitor.alerting.outcome import CommandError
from monitor.alerting.routing.times import TimeIntervalError
from monitor.alerting.schedules import interval_of
from monitor.model.matchers import Matcher, Selector, SelectorError

KEEP_EXPIRED = 5 * 86_400.0
MAX_SILENCES = 1000
MAX_MATCHERS = 32
MAX_LENGTH = 366 * 86_400.0
MAX_RECURRING = 10 * MAX_LENGTH
MAX_COMMENT = 2000
MAX_WHO = 128
_MAX_VALUE = 512
# A value nobody has: what matches it, matches everything.
_NOBODY = "\ue000 nobody has this value \ue000"

SilenceState = Literal["pending", "active", "expired"]


def silence_state(silence: Silence, now: float) -> SilenceState:
    """Whether it has yet to begin (for the first time, or again), holds, or is over."""
    if now >= silence.ends:
        return "expired"
    return "active" if in_force(silence, now) else "pending"


def in_force(silence: Silence, now: float) -> bool:
    """Whether it keeps quiet at this moment."""
    return silence.active(now) and (silence.schedule is None or interval_of(silence.schedule).holds(now))


def matches(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """Whether all matchers hold for an alert's labels; a label that is absent counts as ""."""
    return Selector(matchers).matches_tags(labels)


def preview(matchers: tuple[Matcher, ...], alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """The pending and firing alerts that a silence with these matchers would keep quiet. Raises `CommandError`."""
    check_matchers(matchers)
    active = (alert for alert in alerts if alert.state in (State.PENDING, State.FIRING))
    return tuple(alert for alert in active if matches(matchers, dict(alert.labels)))


def check_matchers(matchers: tuple[Matcher, ...]) -> None:
    """Raises `CommandError` unless at least one matcher picks something out and all can be run.

    Stricter than Alertmanager, which asks for one matcher that does not match "": `host=~".+"` or `team!="x"` alone would
    silence nearly everything, and is refused too.
    """
    if not matchers:
        raise CommandError('A silence needs at least one matcher, like alertname="high_error_rate".')
    if len(matchers) > MAX_MATCHERS:
        raise CommandError(f"A silence has at most {MAX_MATCHERS} matchers; this one has {len(matchers)}.")
    selective = False
    for matcher in matchers:
        if not matcher.name or len(matcher.name) > 256 or len(matcher.value) > _MAX_VALUE:
            raise CommandError(f"The matcher on {matcher.name[:40]!r} is empty or longer than {_MAX_VALUE} characters.")
        try:
            selective |= not matcher.test("") and not matcher.test(_NOBODY)
        except SelectorError as error:
            raise CommandError(f"The matcher {matcher} cannot be used: {error}.") from None
    if not selective:
        raise CommandError('These matchers match everything; add one that names something, like service="checkout".')


def new_silence(
    matchers: tuple[Matcher, ...],
    starts: float,
    ends: float,
    comment: str,
    who: str,
    at: float,
    end_when_resolved: bool,
    number: int,
    schedule: Schedule | None = None,
    end_when_idle: float = 0.0,
    warn_before: float = 600.0,
) -> Silence:
    """A checked silence; `number` makes its id differ from that of its equal. Raises `CommandError`."""
    check_matchers(matchers)
    check_person(who)
    if not comment.strip():
        raise CommandError("A silence needs a comment: say why, for whoever finds it later.")
    check_text("comment", comment)
    if not starts < ends:
        raise CommandError("The silence ends before it starts; choose a later end.")
    if ends <= at:
        raise CommandError("The silence would end in the past; choose a later end.")
    reach = MAX_LENGTH if schedule is None else MAX_RECURRING
    if ends - max(starts, at) > reach or starts - at > MAX_LENGTH:
        far = "a year" if schedule is None else "ten years"
        raise CommandError(f"The silence reaches more than {far} ahead; choose an earlier end.")
    if not 0 <= end_when_idle <= MAX_LENGTH or not 0 <= warn_before <= MAX_LENGTH:
        raise CommandError("The times after which a silence ends unused, and before its end when it warns, are 0 s to a year.")
    if schedule is not None:
        _check_schedule(schedule, end_when_resolved or end_when_idle > 0)
    name = fingerprint([("number", str(number)), ("at", repr(at)), ("who", who), *((str(m), "") for m in matchers)])
    return Silence(
        f"silence-{name}",
        matchers,
        starts,
        ends,
        comment.strip(),
        who,
        at,
        end_when_resolved,
        schedule=schedule,
        end_when_idle=end_when_idle,
        warn_before=warn_before,
    )


def _check_schedule(schedule: Schedule, ends_by_itself: bool) -> None:
    if ends_by_itself:
        raise CommandError("A maintenance window comes again, so it cannot end by itself when its alerts do; give it an end.")
    try:
        interval_of(schedule)
    except TimeIntervalError as error:
        raise CommandError(f"The maintenance window's times: {error}.") from None
    if not (schedule.times or schedule.weekdays or schedule.days_of_month or schedule.months or schedule.years):
        raise CommandError("A maintenance window needs times or days; for one stretch of time, make a silence.")


def check_person(who: str) -> None:
    """Raises `CommandError` when nobody's or too long a name is given."""
    if not who.strip() or len(who) > MAX_WHO:
        raise CommandError(f"Say who does this, in at most {MAX_WHO} characters.")


def check_text(what: str, text: str) -> None:
    """Raises `CommandError` when a person's text is over its bound."""
    if len(text) > MAX_COMMENT:
        raise CommandError(f"The {what} has {len(text):,} characters (at most {MAX_COMMENT:,}).")


def _goes_on(silence: Silence, now: float, before: Mapping[str, Silence]) -> bool:
    return silence.id in before and now < silence.ends and silence.schedule is None


class Silences:
    """All silences by id, those expired less than five days ago among them."""

    def __init__(self, silences: Iterable[Silence] = (), active: Iterable[Silence] = ()) -> None:
        self.by_id: dict[str, Silence] = {silence.id: silence for silence in silences}
        self.active: tuple[Silence, ...] = tuple(active)
        self._next_change = float("-inf")

    def put(self, silence: Silence) -> None:
        """Add or replace; `turn` tells what that changes."""
        self.by_id[silence.id] = silence
        self._next_change = float("-inf")

    def check_room(self) -> None:
        """Raises `CommandError` when there are too many."""
        if len(self.by_id) >= MAX_SILENCES:
            raise CommandError(f"There are {MAX_SILENCES} silences already; expire some, or use wider matchers.")

    def turn(self, now: float) -> tuple[tuple[Silence, ...], tuple[Silence, ...]]:
        """Silences that have begun and that have ended since the last call. Costs nothing while none does."""
        if now < self._next_change:
            return (), ()
        before = {silence.id: silence for silence in self.active}
        # One that has begun goes on until its end, even when the tick's clock lags behind that of the command.
        self.active = tuple(s for s in self.by_id.values() if in_force(s, now) or _goes_on(s, now, before))
        ids = {silence.id for silence in self.active}
        begun = tuple(silence for silence in self.active if silence.id not in before)
        ended = tuple(self.by_id.get(silence_id, silence) for silence_id, silence in before.items() if silence_id not in ids)
        moments = (moment for silence in self.by_id.values() for moment in (silence.starts, silence.ends) if moment > now)
        minute = 60.0 * (now // 60.0 + 1.0) if any(s.schedule and s.active(now) for s in self.by_id.values()) else float("inf")
        self._next_change = min([*moments, minute])
        return begun, ended

    def on(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Ids of the active silences that match these labels."""
        return tuple(silence.id for silence in self.active if matches(silence.matchers, labels))

    def expire(self, silence_id: str, who: str, at: float) -> Silence:
        """The silence, ended now. Raises `CommandError` when there is none or it is over."""
        silence = self.by_id.get(silence_id)
        if silence is None:
            raise CommandError(f"There is no silence {silence_id[:60]!r}; it may have been forgotten already.")
        if silence_state(silence, at) == "expired":
            raise CommandError("That silence has ended already.")
        ended = replace(silence, starts=min(silence.starts, at), ends=at, expired_by=who)
        self.put(ended)
        return ended

    def forget(self, now: float) -> list[str]:
        """Ids of those that expired more than five days ago and are dropped."""
        old = [silence.id for silence in self.by_id.values() if silence.ends + KEEP_EXPIRED <= now]
        for silence_id in old:
            del self.by_id[silence_id]
        return old
