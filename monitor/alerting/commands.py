"""What people do to alerts: acknowledge, release, assign, note."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from monitor.alerting import life
from monitor.alerting.model import Acknowledgement, AckUntil, Alert
from monitor.alerting.outcome import CommandError, Draft, Outcome
from monitor.alerting.silences import MAX_WHO, check_person, check_text
from monitor.alerting.silencing import Silencing
from monitor.alerting.wording import series_text


class Commands(Silencing):
    """Commands change the ledger at once; who must be told of it is decided at the next judgement."""

    def acknowledge(
        self,
        alerts: Iterable[str],
        who: str,
        at: float,
        note: str = "",
        expires: float | None = None,
        until: AckUntil = "resolved",
    ) -> Outcome:
        """Somebody takes these alerts (ids). `expires` None: until they resolve. `CommandError` when none can be taken.

        `until` "change": it ends too when an alert gets worse, or another of its group begins.
        """
        check_person(who)
        check_text("note", note)
        if expires is not None and not expires > at:
            raise CommandError("The acknowledgement would expire in the past; choose a later time.")
        ack = Acknowledgement(who, at, note.strip(), expires, until)
        tail = f": {ack.note}" if ack.note else "."

        def take(alert: Alert, draft: Draft) -> None:
            self._put(replace(alert, ack=replace(ack, value=alert.value)), draft)
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

    def assign(self, alerts: Iterable[str], person: str, who: str, at: float) -> Outcome:
        """These alerts (ids) are `person`'s to see to, until they resolve; "" takes that back. It keeps nobody from being told.

        Raises `CommandError` when none of them is active.
        """
        check_person(who)
        person = person.strip()
        if len(person) > MAX_WHO:
            raise CommandError(f"Say whose it is, in at most {MAX_WHO} characters.")

        def give(alert: Alert, draft: Draft) -> None:
            self._put(replace(alert, assigned=person), draft)
            what = f"{alert.rule_id} on {series_text(alert)}"
            text = f"{who} assigned {what} to {person}." if person else f"{who} took {what} from {alert.assigned or 'nobody'}."
            self._event(draft, at, "assigned", text, alert, who)

        return self._on_alerts(alerts, give, lambda alert: alert.state in life.ACTIVE, "is active; it may have resolved")

    def add_note(self, alert: str, text: str, who: str, at: float) -> Outcome:
        """A note in an alert's history. Raises `CommandError` when it is empty or the alert unknown."""
        check_person(who)
        check_text("note", text)
        if not text.strip():
            raise CommandError("The note is empty.")

        def write(alert: Alert, draft: Draft) -> None:
            self._event(draft, at, "note", text.strip(), alert, who)

        return self._on_alerts([alert], write, lambda alert: True, "is known")

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
