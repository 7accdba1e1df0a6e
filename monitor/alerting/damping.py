"""Flapping alerts in the book: their turns are not told one by one; that they flap is, and that they have settled."""

from __future__ import annotations

from msgspec.structs import replace

from monitor.alerting import life
from monitor.alerting.commands import Commands
from monitor.alerting.durations import duration_words, rough_duration
from monitor.alerting.flapping import Flapping, flaps
from monitor.alerting.model import Alert, Notification, Rule, State
from monitor.alerting.outcome import Draft
from monitor.alerting.wording import reading, series_text, title


class Damping(Commands):
    """All that is needed stands in the alert (its firings, `flapping`), so a restart changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._fired: set[str] = set()
        """Alerts that began to fire at this judgement."""
        self._emptied: set[str] = set()
        """Silences that matched an alert which has ended."""

    def _turned(self, now: float, alert: Alert, rule: Rule) -> Alert:
        """The alert after it has begun to fire or ended: it may flap from now on."""
        if rule.flapping is None or alert.flapping is not None or not flaps(rule.flapping, _spans(alert), now, False):
            return alert
        return replace(alert, flapping=Flapping(now))

    def _damp(self, now: float, rules: dict[str, Rule], draft: Draft) -> None:
        """Say of those that flap that they do, and of those that do no more that they have settled."""
        for name in sorted(self._flapping):
            alert = self._alerts[name]
            rule = rules.get(alert.rule_id)
            flapping = alert.flapping
            if flapping is None:
                continue
            if flapping.since == now:
                self._event(draft, now, "flapping", _begun(alert, rule), alert)
            if rule is None or rule.flapping is None or not flaps(rule.flapping, _spans(alert), now, True):
                self._settle(now, alert, flapping, rule, draft)
            elif not flapping.told and rule.actions and not _kept_quiet(alert):
                told = replace(alert, flapping=replace(flapping, told=True), last_notified=now)
                told = replace(told, notified_count=alert.notified_count + 1)
                draft.notifications.append(Notification("flapping", told, rule, _begun(alert, rule), now))
                self._put(replace(told, suppressed_count=0), draft)

    def _settle(self, now: float, alert: Alert, flapping: Flapping, rule: Rule | None, draft: Draft) -> None:
        text = _settled(alert, rule, now)
        self._event(draft, now, "settled", text, alert)
        calm = replace(alert, flapping=None)
        heard = flapping.told or flapping.owes_end
        fires = alert.state is State.FIRING
        if rule is not None and rule.actions and heard and not (fires and _kept_quiet(alert)):
            calm = replace(calm, notified_count=calm.notified_count + 1)
            if fires:
                calm = replace(calm, last_notified=now, owed="no", suppressed_count=0)
            draft.notifications.append(Notification("settled", calm, rule, text, now))
        if not fires and alert.state is not State.PENDING:
            self._emptied.update(alert.silenced_by)
            calm = replace(calm, ack=None, assigned="", silenced_by=())
        self._put(calm, draft)


def flap_on(ended: Alert, before: Alert) -> Alert:
    """A firing of one that flaps has ended untold; who has it, and what keeps it quiet, goes on until it has settled."""
    flapping = ended.flapping
    if flapping is not None and life.was_told(before):
        flapping = replace(flapping, owes_end=True)
    return replace(ended, flapping=flapping, ack=before.ack, assigned=before.assigned, silenced_by=before.silenced_by)


def _spans(alert: Alert) -> list[tuple[float, float | None]]:
    return [(span.start, span.end) for span in alert.firings]


def _kept_quiet(alert: Alert) -> bool:
    return alert.ack is not None or bool(alert.silenced_by)  # which one that flaps keeps over its ends


def _begun(alert: Alert, rule: Rule | None) -> str:
    name = title(rule) if rule else alert.rule_id
    window = duration_words(rule.flapping.window) if rule and rule.flapping else "a short time"
    text = f"{name} is flapping: {series_text(alert)} turned again and again within {window}."
    return f"{text} Its turns are not told one by one until it has settled."


def _settled(alert: Alert, rule: Rule | None, now: float) -> str:
    name = title(rule) if rule else alert.rule_id
    if alert.state is State.FIRING:
        return f"{name} has settled and fires: {reading(alert)}"
    ended = rough_duration(now - (alert.resolved_at or now))
    return f"{name} has settled: {series_text(alert)} has been resolved for {ended}."
