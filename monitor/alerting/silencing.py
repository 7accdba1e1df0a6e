"""What people do to silences, and what follows when one begins, ends, keeps nothing quiet any more or is about to end."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from monitor.alerting import life
from monitor.alerting.durations import rough_duration
from monitor.alerting.ledger import Ledger
from monitor.alerting.model import Schedule, Silence, State
from monitor.alerting.outcome import CommandError, Draft, Outcome
from monitor.alerting.schedules import schedule_words
from monitor.alerting.silences import check_person, in_force, new_silence, silence_state
from monitor.model.matchers import Matcher

GUARD_MOST, GUARD_LEAST = 100, 10
"""A guarded silence is refused over so many firing alerts, and over so many when they are more than half of all that fire."""
MAX_NAMED = 20
"""Rules named in the event of a silence."""
SHORTEST_WARNED = 120.0
"""Seconds: of shorter silences nobody is warned."""


class Silencing(Ledger):
    """Commands change the ledger at once; who must be told of it is decided at the next judgement."""

    def add_silence(
        self,
        matchers: tuple[Matcher, ...],
        starts: float,
        ends: float,
        comment: str,
        who: str,
        at: float,
        end_when_resolved: bool = False,
        schedule: Schedule | None = None,
        end_when_idle: float = 0.0,
        warn_before: float = 600.0,
        guard: bool = False,
    ) -> Outcome:
        """Keep alerts quiet; `accepted` is the silence's id and then the ids of the active alerts it matches.

        `schedule` makes it a maintenance window, which holds only then; the others are as in `Silence`. `guard`: refuse it where
        it would keep very many quiet at once. Raises `CommandError` for matchers that match everything, times that
        cannot be, or a missing comment.
        """
        self._silences.check_room()
        silence = new_silence(
            matchers, starts, ends, comment, who, at, end_when_resolved, self.revision, schedule, end_when_idle, warn_before
        )
        found = self.preview(matchers)
        if guard:
            self._check_guard(sum(alert.state is State.FIRING for alert in found))
        matched = tuple(alert.id for alert in found)
        self._silences.put(silence)
        draft = Draft()
        draft.silences[silence.id] = silence
        length = rough_duration(ends - max(starts, at))
        when = f" ({schedule_words(schedule)})" if schedule else ""
        text = f"{who} silenced {', '.join(map(str, matchers))} for {length}{when}: {silence.comment}"
        rules = tuple(dict.fromkeys(alert.rule_id for alert in found))[:MAX_NAMED]
        self._event(draft, at, "silenced", text, who=who, tags=tuple(("rule", name) for name in rules))
        self._turn_silences(at, draft)
        return self._finish(draft, (silence.id, *matched))

    def change_silence(self, silence: str, starts: float, ends: float, comment: str, who: str, at: float) -> Outcome:
        """Give a silence (by id) that is not over other times or another comment; its matchers and its id stay.

        Raises `CommandError` for what would be refused of a new one, and where there is none or it is over.
        """
        before = self._silences.by_id.get(silence)
        if before is None:
            raise CommandError(f"There is no silence {silence[:60]!r}; it may have been forgotten already.")
        if silence_state(before, at) == "expired":
            raise CommandError("That silence has ended already; make a new one.")
        wanted = new_silence(
            before.matchers, starts, ends, comment, who, at, before.end_when_resolved, self.revision, before.schedule
        )
        # One that has begun does not begin later.
        starts = before.starts if before.starts <= at else starts
        changed = replace(before, starts=starts, ends=ends, comment=wanted.comment, created_by=who, warned=False)
        self._silences.put(changed)
        draft = Draft()
        draft.silences[silence] = changed
        left = rough_duration(ends - max(starts, at))
        text = f"{who} changed the silence of {', '.join(map(str, before.matchers))}, {left} from now on: {changed.comment}"
        self._event(draft, at, "silenced", text, who=who)
        self._turn_silences(at, draft)
        return self._finish(draft, (silence,))

    def edit_silence(
        self,
        silence: str,
        who: str,
        at: float,
        matchers: tuple[Matcher, ...] | None = None,
        ends: float | None = None,
        comment: str | None = None,
        guard: bool = False,
    ) -> Outcome:
        """Change a silence (by id), None leaving a part as it is; `accepted` begins with the id of the one that holds now.

        Other times and another comment leave it the one it is; with other matchers, or where it is over, it becomes a new one and
        the old one ends. Source: Alertmanager, silence/silence.go (Set). Raises `CommandError` as `add_silence`.
        """
        before = self._silences.by_id.get(silence)
        if before is None:
            raise CommandError(f"There is no silence {silence[:60]!r}; it may have been forgotten already.")
        comment = before.comment if comment is None else comment
        over = silence_state(before, at) == "expired"
        if not over and (matchers is None or set(matchers) == set(before.matchers)):
            return self.change_silence(silence, before.starts, before.ends if ends is None else ends, comment, who, at)
        length = before.ends - before.starts if not before.expired_by else 3600.0
        until = ends if ends is not None else (at + max(length, 60.0) if over else before.ends)
        made = self.add_silence(
            before.matchers if matchers is None else matchers,
            at if over else max(at, before.starts),
            until,
            comment,
            who,
            at,
            before.end_when_resolved,
            before.schedule,
            before.end_when_idle,
            before.warn_before,
            guard,
        )
        return made if over else merged(made, self.expire_silence(silence, who, at))

    def expire_silence(self, silence: str, who: str, at: float) -> Outcome:
        """End a silence (by id) now; alerts that still fire are told of at the next judgement. Raises `CommandError`."""
        check_person(who)
        ended = self._silences.expire(silence, who, at)
        draft = Draft()
        draft.silences[silence] = ended
        self._event(draft, at, "unsilenced", f"{who} ended the silence of {ended.created_by}: {ended.comment}", who=who)
        self._turn_silences(at, draft)
        return self._finish(draft, (silence,))

    def _check_guard(self, hit: int) -> None:
        firing = sum(alert.state is State.FIRING for alert in self._alerts.values())
        if hit > GUARD_MOST or (hit >= GUARD_LEAST and 2 * hit > firing):
            raise CommandError(
                f"This would silence {hit:,} of {firing:,} firing alerts. Narrow the matchers, or confirm that you mean it."
            )

    def _turn_silences(self, now: float, draft: Draft) -> None:
        """Take account of silences that have begun or ended; whoever is freed and fires is told of at once."""
        begun, ended = self._silences.turn(now)
        if not begun and not ended:
            return
        for silence in ended:
            if silence.schedule is not None and now < silence.ends:
                self._event(
                    draft, now, "unsilenced", f"The maintenance of {silence.created_by} is over for now: {silence.comment}"
                )
            elif not silence.expired_by:
                self._event(draft, now, "unsilenced", f"The silence of {silence.created_by} ended: {silence.comment}")
        for silence in begun:
            if silence.schedule is not None:
                text = f"The maintenance of {silence.created_by} has begun: {silence.comment}"
                self._event(draft, now, "silenced", text)
        for alert in list(self._alerts.values()):
            if alert.state not in life.ACTIVE and alert.flapping is None:
                continue
            by = self._silences.on(dict(alert.labels))
            if by != alert.silenced_by:
                freed = not by and alert.state is State.FIRING
                self._put(replace(alert, silenced_by=by, owed="at_once" if freed else alert.owed), draft)

    def _watch_silences(self, now: float, draft: Draft) -> None:
        """End silences that have long matched nothing, and warn of those that end while alerts still fire under them."""
        watched = [self.silences[s.id] for s in self._silences.active if s.id in self.silences]
        watched = [silence for silence in watched if silence.end_when_idle > 0 or _warns(silence, now)]
        if not watched:
            return
        quiet = [self._alerts[name] for name in self._silenced]
        matched = Counter(name for alert in quiet for name in alert.silenced_by)
        firing = Counter(name for alert in quiet if alert.state is State.FIRING for name in alert.silenced_by)
        for silence in watched:
            if firing[silence.id] and _warns(silence, now):
                self._warn(now, silence, firing[silence.id], draft)
            elif silence.end_when_idle > 0:
                self._end_idle(now, silence, matched[silence.id], draft)

    def _warn(self, now: float, silence: Silence, firing: int, draft: Draft) -> None:
        left = rough_duration(silence.ends - now)
        text = (
            f"The silence of {silence.created_by} ends in {left} and still keeps {firing:,} firing "
            f"alert{'' if firing == 1 else 's'} quiet: {silence.comment}"
        )
        self._event(draft, now, "silence_ending", text)
        self._keep(replace(silence, warned=True), draft)

    def _end_idle(self, now: float, silence: Silence, matched: int, draft: Draft) -> None:
        if matched:
            if silence.idle_since is not None:
                self._keep(replace(silence, idle_since=None), draft)
        elif silence.idle_since is None or silence.idle_since > now:
            self._keep(replace(silence, idle_since=now), draft)
        elif now - silence.idle_since >= silence.end_when_idle:
            draft.silences[silence.id] = self._silences.expire(silence.id, "idle", now)
            idle = rough_duration(now - silence.idle_since)
            text = f"The silence of {silence.created_by} ended, it has matched nothing for {idle}: {silence.comment}"
            self._event(draft, now, "unsilenced", text)

    def _keep(self, silence: Silence, draft: Draft) -> None:
        self._silences.put(silence)
        draft.silences[silence.id] = silence


def _warns(silence: Silence, now: float) -> bool:
    """Whether the time has come to say that it ends soon: in the last quarter of a short one."""
    length = silence.ends - silence.starts
    if silence.warned or silence.schedule is not None or length < SHORTEST_WARNED or not in_force(silence, now):
        return False
    return silence.ends - now <= min(silence.warn_before, length / 4)


def merged(first: Outcome, second: Outcome) -> Outcome:
    """Two outcomes, one after the other, to be stored as one; what the first accepted counts."""
    alerts = {alert.id: alert for alert in (*first.alerts, *second.alerts)}
    stored = {alert.id: alerts[alert.id] for alert in (*first.stored, *second.stored)}
    silences = {silence.id: silence for silence in (*first.silences, *second.silences)}
    return Outcome(
        second.revision,
        tuple(alerts.values()),
        tuple(stored.values()),
        tuple(silences.values()),
        (*first.removed, *second.removed),
        (*first.events, *second.events),
        (*first.notifications, *second.notifications),
        first.accepted,
    )
