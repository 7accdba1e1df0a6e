"""The alert book: every alert and silence there is, judged at each tick and changed by people's commands."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec.structs import replace

from monitor.alerting import life
from monitor.alerting.causes import Calls
from monitor.alerting.conditions import CompositeCondition
from monitor.alerting.judge import Engine
from monitor.alerting.judging import MAX_INSTANCES, VALUE_REFRESH, Judging
from monitor.alerting.model import Alert, Notification, Rule, State
from monitor.alerting.outcome import Draft, Outcome
from monitor.alerting.silences import silence_state
from monitor.alerting.sources import same_source
from monitor.alerting.watch import RuleWatch
from monitor.alerting.wording import number_text, summary, title
from monitor.alerting.world import Answered, World

KEEP_RESOLVED = 86_400.0
MAX_RESOLVED = 5000
_HOUSEKEEPING = 60.0


class AlertBook(Judging):
    """A pure state machine: time and engine are arguments, changes come back as an `Outcome`.

    An alert goes inactive -> pending -> firing -> resolved. Pending needs the rule's `for`; without one it is passed
    through within the same tick. A series without data is not judged unless the rule says so: a firing alert stays firing
    with `no_data` until the series leaves the table, a pending one ends. Resolved alerts are kept for 24 h.
    """

    def __init__(self, instances_per_rule: int = MAX_INSTANCES, value_refresh: float = VALUE_REFRESH) -> None:
        super().__init__(instances_per_rule, value_refresh)
        self._rules: dict[str, Rule] = {}
        self._tidied_at = -math.inf
        self.calls: Calls = {}
        """Which services each service calls, for incidents."""
        self.groups_of: Callable[[Alert], Iterable[Hashable]] = lambda alert: (alert.rule_id,)
        """In which groups people are told of an alert; where nothing groups them, that is its rule's."""

    def judge(
        self, now: float, rules: Sequence[Rule], engine: Engine, answers: Mapping[str, Answered] = MappingProxyType({})
    ) -> Outcome:
        """Judge every enabled rule (ids unique) on all it watches, and decide who must be told.

        `answers`: what the expressions of rules gave last, by the rule's id.
        """
        draft = Draft()
        self._fired.clear()
        self._turn_silences(now, draft)
        self._expire_acknowledgements(now, draft)
        self._take_rules(now, rules, draft)
        self._active = sum(map(len, self._watches.values()))
        world = World(now, engine, answers, self._alerts_of, self.problems.__contains__)
        # What is said of others comes after those.
        for watch in sorted(self._watches.values(), key=lambda watch: isinstance(watch.rule.condition, CompositeCondition)):
            self._judge_rule(now, watch, world, draft)
        self._end_emptied_silences(now, draft)
        self._watch_silences(now, draft)
        self._lapse_acknowledgements(now, draft)
        self._damp(now, self._rules, draft)
        self._tell(now, draft)
        if not 0 <= now - self._tidied_at < _HOUSEKEEPING:
            self._tidy(now, draft)
        self._relate(now, draft)
        return self._finish(draft)

    def _relate(self, now: float, draft: Draft) -> None:
        """Put what has changed since the last judgement into its incidents."""
        if self._restless:
            changed = [self._alerts[name] for name in self._restless if name in self._alerts]
            draft.incidents, draft.ended_incidents = self.incidents.step(now, changed, self._alerts, self.calls)
            self._restless.clear()

    def _take_rules(self, now: float, rules: Sequence[Rule], draft: Draft) -> None:
        self._rules = {rule.id: rule for rule in rules}
        enabled = {rule.id: rule for rule in rules if rule.enabled}
        for rule_id in [name for name in self._watches if name not in enabled]:
            self._retire(now, rule_id, self._watches.pop(rule_id).alerts, draft)
        for rule in enabled.values():
            watch = self._watches.get(rule.id)
            if watch is not None and not same_source(watch.rule, rule):
                self._retire(now, rule.id, watch.alerts, draft, "it watches something else now")
                watch = None
            if watch is None:
                watch = self._watches[rule.id] = RuleWatch(rule)
            changed = watch.rule != rule
            watch.rule = rule
            for alert in self._orphans.pop(rule.id, ()):
                changed |= _differs(alert, rule)
                if alert.series is not None:
                    watch.expect(alert.id, alert.series, alert.kind)
            if changed:
                for alert_id in watch.alerts:
                    self._follow(now, self._alerts[alert_id], rule, draft)
        for rule_id, alerts in self._orphans.items():
            self._retire(now, rule_id, [alert.id for alert in alerts], draft)
        self._orphans = {}

    def _retire(self, now: float, rule_id: str, ids: Iterable[str], draft: Draft, why: str = "") -> None:
        self.problems.pop(rule_id, None)
        why = why or ("its rule was switched off" if rule_id in self._rules else "its rule was deleted")
        for alert_id in ids:
            self._end(now, self._alerts[alert_id], None, draft, f"{rule_id} ended without a notice: {why}.")

    def _follow(self, now: float, alert: Alert, rule: Rule, draft: Draft) -> None:
        followed = life.follow(alert, rule, now)
        followed = replace(followed, silenced_by=self._silences.on(dict(followed.labels)))
        if life.escalated(alert.severity, rule.severity):
            if alert.ack is not None:
                text = f"{alert.ack.who}'s acknowledgement of {title(rule)} ended: it is {rule.severity} now."
                self._event(draft, now, "released", text, followed)
            owed = "at_once" if alert.state is State.FIRING else followed.owed
            followed = replace(followed, ack=None, owed=owed)
        if followed != alert:
            self._put(followed, draft)

    def _tell(self, now: float, draft: Draft) -> None:
        for alert_id in sorted(self._owed):
            alert = self._alerts[alert_id]
            rule = self._rules.get(alert.rule_id)
            if rule is None or not rule.actions:
                self._put(replace(alert, owed="no"), draft)
            elif life.held_back(alert, rule, now):
                if alert.fired_at == now and alert.since == now:
                    self._put(replace(alert, suppressed_count=alert.suppressed_count + 1), draft)
            else:
                told = replace(alert, owed="no", last_notified=now, notified_count=alert.notified_count + 1)
                draft.notifications.append(Notification("firing", told, rule, summary(rule, told), now))
                self._put(replace(told, suppressed_count=0), draft)

    def _end_emptied_silences(self, now: float, draft: Draft) -> None:
        """Silences that end when resolved: those of which the last alert has just ended."""
        ended = False
        for name in sorted(self._emptied):
            silence = self.silences.get(name)
            if silence is None or not silence.end_when_resolved or silence_state(silence, now) == "expired":
                continue
            if any(name in alert.silenced_by for alert in self._alerts.values()):
                continue
            draft.silences[name] = self._silences.expire(name, "resolved", now)
            self._event(
                draft, now, "unsilenced", f"The silence of {silence.created_by} ended, its alerts are resolved: {silence.comment}"
            )
            ended = True
        self._emptied.clear()
        if ended:
            self._turn_silences(now, draft)

    def _expire_acknowledgements(self, now: float, draft: Draft) -> None:
        for alert_id in sorted(self._expiring):
            alert = self._alerts[alert_id]
            if alert.ack is None or alert.ack.expires is None or alert.ack.expires > now:
                continue
            who = alert.ack.who
            owed = "at_once" if alert.state is State.FIRING else alert.owed
            self._put(replace(alert, ack=None, owed=owed), draft)
            self._event(draft, now, "released", f"{who}'s acknowledgement of {alert.rule_id} ran out; nobody has it now.", alert)

    def _lapse_acknowledgements(self, now: float, draft: Draft) -> None:
        """Those that hold until a change end when the alert got worse, or when another of its group began."""
        if not self._tentative:
            return
        grown: dict[Hashable, int] = {}
        for name in self._fired:
            for group in self.groups_of(self._alerts[name]):
                grown[group] = grown.get(group, 0) + 1
        for name in sorted(self._tentative):
            alert = self._alerts[name]
            if alert.ack is None:
                continue
            if life.worsened(alert, alert.ack):
                why = f"it got worse: {number_text(alert.value)}, from {number_text(alert.ack.value)}"
            elif any(grown.get(group, 0) > (name in self._fired) for group in self.groups_of(alert)):
                why = "another alert of its group began"
            else:
                continue
            owed = "at_once" if alert.state is State.FIRING else alert.owed
            released = self._put(replace(alert, ack=None, owed=owed), draft)
            self._event(draft, now, "released", f"{alert.ack.who}'s acknowledgement of {alert.rule_id} ended: {why}.", released)

    def _tidy(self, now: float, draft: Draft) -> None:
        self._tidied_at = now
        resolved = sorted((a for a in self._alerts.values() if a.state is State.RESOLVED), key=lambda a: a.resolved_at or 0.0)
        for place, alert in enumerate(resolved):
            if (alert.resolved_at or 0.0) + KEEP_RESOLVED <= now or len(resolved) - place > MAX_RESOLVED:
                self._drop(alert.id, draft)
        for alert in list(self._alerts.values()):
            trimmed = life.trimmed(alert, now)
            if trimmed is not alert:
                self._put(trimmed, draft)
        draft.removed.extend(self._silences.forget(now))


def _differs(alert: Alert, rule: Rule) -> bool:
    return life.follow(alert, rule, alert.since) != alert
