"""What people do to alerts: acknowledge, release, note, silence; and what follows when a silence begins or ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from monitor.alerting import life
from monitor.alerting.durations import rough_duration
from monitor.alerting.ledger import Ledger
from monitor.alerting.model import Acknowledgement, Alert, State
from monitor.alerting.outcome import CommandError, Draft, Outcome
from monitor.alerting.silences import check_person, check_text, new_silence, silence_state
from monitor.alerting.wording import series_text
from monitor.model.matchers import Matcher


class Commands(Ledger):
    """Commands change the ledger at once; who must be told of it is decided at the next judgement."""

    def acknowledge(self, alerts: Iterable[str], who: str, at: float, note: str = "", expires: float | None = None) -> Outcome:
        """Somebody takes these alerts (ids). `expires` None: until they resolve. `CommandError` when none can be taken."""
        check_person(who)
        check_text("note", note)
        if expires is not None and not expires > at:
            raise CommandError("The acknowledgement would expire in the past; choose a later time.")
        ack = Acknowledgement(who, at, note.strip(), expires)
        tail = f": {ack.note}" if ack.note else "."

        def take(alert: Alert, draft: Draft) -> None:
            self._put(replace(alert, ack=ack), draft)
            self._event(
                draft, at, "acknowledged", f"{who} acknowledged {alert.rule_id} on {series_text(alert)}{tail}", alert, who
            )

        return self._on_alerts(alerts, take, lambda alert: alert.state in life.ACTIVE, "is active; it may have resolved")

    def release(self, alerts: Iterable[str], who: str, at: float) -> Outcome:
        """Take acknowledgements back. Raises `CommandError` when none of the alerts is acknowledged."""
        check_person(who)

        def give_back(alert: Alert, draft: Draft) -> None:
            self._put(replace(alert, ack=None), draft)
            self._event(draft, at, "released", f"{who} released {alert.rule_id} on {series_text(alert)}.", alert, who)

        return self._on_alerts(alerts, give_back, lambda alert: alert.ack is not None, "is acknowledged")

    def add_note(self, alert: str, text: str, who: str, at: float) -> Outcome:
        """A note in an alert's history. Raises `CommandError` when it is empty or the alert unknown."""
        check_person(who)
        check_text("note", text)
        if not text.strip():
            raise CommandError("The note is empty.")

        def write(alert: Alert, draft: Draft) -> None:
            self._event(draft, at, "note", text.strip(), alert, who)

        return self._on_alerts([alert], write, lambda alert: True, "is known")

    def add_silence(
        self,
        matchers: tuple[Matcher, ...],
        starts: float,
        ends: float,
        comment: str,
        who: str,
        at: float,
        end_when_resolved: bool = False,
    ) -> Outcome:
        """Keep alerts quiet; `accepted` is the silence's id and then the ids of the active alerts it matches.

        Raises `CommandError` for matchers that match everything, times that cannot be, or a missing comment.
        """
        self._silences.check_room()
        silence = new_silence(matchers, starts, ends, comment, who, at, end_when_resolved, self.revision)
        matched = tuple(alert.id for alert in self.preview(matchers))
        self._silences.put(silence)
        draft = Draft()
        draft.silences[silence.id] = silence
        length = rough_duration(ends - max(starts, at))
        text = f"{who} silenced {', '.join(map(str, matchers))} for {length}: {silence.comment}"
        self._event(draft, at, "silenced", text, who=who)
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
        wanted = new_silence(before.matchers, starts, ends, comment, who, at, before.end_when_resolved, self.revision)
        # One that has begun does not begin later.
        starts = before.starts if before.starts <= at else starts
        changed = replace(before, starts=starts, ends=ends, comment=wanted.comment, created_by=who)
        self._silences.put(changed)
        draft = Draft()
        draft.silences[silence] = changed
        left = rough_duration(ends - max(starts, at))
        text = f"{who} changed the silence of {', '.join(map(str, before.matchers))}, {left} from now on: {changed.comment}"
        self._event(draft, at, "silenced", text, who=who)
        self._turn_silences(at, draft)
        return self._finish(draft, (silence,))

    def expire_silence(self, silence: str, who: str, at: float) -> Outcome:
        """End a silence (by id) now; alerts that still fire are told of at the next judgement. Raises `CommandError`."""
        check_person(who)
        ended = self._silences.expire(silence, who, at)
        draft = Draft()
        draft.silences[silence] = ended
        self._event(draft, at, "unsilenced", f"{who} ended the silence of {ended.created_by}: {ended.comment}", who=who)
        self._turn_silences(at, draft)
        return self._finish(draft, (silence,))

    def _on_alerts(
        self, names: Iterable[str], change: Callable[[Alert, Draft], None], fits: Callable[[Alert], bool], what: str
    ) -> Outcome:
        known = [self._alerts[name] for name in dict.fromkeys(names) if name in self._alerts]
        fitting = [alert for alert in known if fits(alert)]
        if not fitting:
            raise CommandError(f"None of these alerts {what}.")
        draft = Draft()
        for alert in fitting:
            change(alert, draft)
        return self._finish(draft, tuple(alert.id for alert in fitting))

    def _turn_silences(self, now: float, draft: Draft) -> None:
        """Take account of silences that have begun or ended; whoever is freed and fires is told of at once."""
        begun, ended = self._silences.turn(now)
        if not begun and not ended:
            return
        for silence in ended:
            if not silence.expired_by:
                self._event(draft, now, "unsilenced", f"The silence of {silence.created_by} ended: {silence.comment}")
        for alert in list(self._alerts.values()):
            if alert.state not in life.ACTIVE:
                continue
            by = self._silences.on(dict(alert.labels))
            if by != alert.silenced_by:
                freed = not by and alert.state is State.FIRING
                self._put(replace(alert, silenced_by=by, owed="at_once" if freed else alert.owed), draft)
