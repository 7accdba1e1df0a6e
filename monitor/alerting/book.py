"""The alert book: every alert and silence there is, judged at each tick and changed by people's commands."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from monitor.alerting import life
from monitor.alerting.commands import Commands
from monitor.alerting.durations import rough_duration
from monitor.alerting.judge import Engine
from monitor.alerting.model import Alert, Notification, Rule, State
from monitor.alerting.outcome import Draft, Outcome
from monitor.alerting.silences import silence_state
from monitor.alerting.watch import RuleWatch, Seen
from monitor.alerting.wording import number_text, reading, series_text, summary, title

KEEP_RESOLVED = 86_400.0
RESTORE_GRACE = 600.0
VALUE_REFRESH = 5.0
MAX_INSTANCES = 1000
MAX_ACTIVE = 10_000
MAX_RESOLVED = 5000
_HOUSEKEEPING = 60.0


class AlertBook(Commands):
    """A pure state machine: time and engine are arguments, changes come back as an `Outcome`.

    An alert goes inactive -> pending -> firing -> resolved. Pending needs the rule's `for`; without one it is passed
    through within the same tick. A series without data is not judged: a firing alert stays firing with `no_data` until
    the series leaves the table, a pending one ends. Resolved alerts are kept for 24 h.
    """

    def __init__(self, instances_per_rule: int = MAX_INSTANCES, value_refresh: float = VALUE_REFRESH) -> None:
        super().__init__()
        self.problems: dict[str, str] = {}
        """Rule id -> a sentence on why it cannot be judged, or not on every series."""
        self.refused_instances = 0
        """How many alerts the bounds kept out, over all ticks."""
        self._limit = instances_per_rule
        self._value_refresh = value_refresh
        self._rules: dict[str, Rule] = {}
        self._watches: dict[str, RuleWatch] = {}
        self._emptied: set[str] = set()
        self._shown_at: dict[str, float] = {}
        self._tidied_at = -math.inf

    def judge(self, now: float, rules: Sequence[Rule], engine: Engine) -> Outcome:
        """Judge every enabled rule (ids unique) on every series it selects, and decide who must be told."""
        draft = Draft()
        self._turn_silences(now, draft)
        self._expire_acknowledgements(now, draft)
        self._take_rules(now, rules, draft)
        for watch in self._watches.values():
            self._judge_rule(now, watch, engine, draft)
        self._end_emptied_silences(now, draft)
        self._tell(now, draft)
        if not 0 <= now - self._tidied_at < _HOUSEKEEPING:
            self._tidy(now, draft)
        return self._finish(draft)

    def _take_rules(self, now: float, rules: Sequence[Rule], draft: Draft) -> None:
        self._rules = {rule.id: rule for rule in rules}
        enabled = {rule.id: rule for rule in rules if rule.enabled}
        for rule_id in [name for name in self._watches if name not in enabled]:
            self._retire(now, rule_id, self._watches.pop(rule_id).alerts, draft)
        for rule in enabled.values():
            watch = self._watches.setdefault(rule.id, RuleWatch(rule))
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

    def _retire(self, now: float, rule_id: str, ids: Iterable[str], draft: Draft) -> None:
        self.problems.pop(rule_id, None)
        rule = self._rules.get(rule_id)
        why = "its rule was switched off" if rule is not None else "its rule was deleted"
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

    def _judge_rule(self, now: float, watch: RuleWatch, engine: Engine, draft: Draft) -> None:
        active = sum(map(len, self._watches.values()))
        room = min(self._limit - len(watch), MAX_ACTIVE - active)
        try:
            seen = watch.look(engine, max(0, room))
        except (ValueError, LookupError) as error:
            # The rule cannot be judged, which says nothing about its series: its alerts stay as they are.
            self.problems[watch.rule.id] = f"Cannot be judged: {str(error)[:200]}"
            return
        self.problems.pop(watch.rule.id, None)
        if watch.refused:
            self.refused_instances += watch.refused
            self.problems[watch.rule.id] = (
                f"{watch.refused:,} more series meet the condition, but only {len(watch):,} alerts are kept; narrow the selector."
            )
        for sight in seen:
            self._judge_one(now, watch, sight, draft)

    def _judge_one(self, now: float, watch: RuleWatch, sight: Seen, draft: Draft) -> None:
        rule, alert = watch.rule, self._alerts.get(sight.alert)
        if sight.series is not None:
            alert = life.begin(rule, sight.alert, sight.series, alert, sight.value, now)
            alert = replace(alert, silenced_by=self._silences.on(dict(alert.labels)))
            if rule.for_seconds > 0:
                self._put(alert, draft)
                self._event(draft, now, "pending", f"{title(rule)}: {reading(alert)}", alert)
        if alert is None:
            return
        if sight.gone or (sight.awaited and now - self._restored_at >= RESTORE_GRACE):
            self._end(now, alert, None, draft, f"{title(rule)} ended: {series_text(alert)} is gone.", watch)
        elif math.isnan(sight.value):
            self._without_data(now, alert, sight.awaited, draft, watch)
        elif not life.holds_on(alert, rule, sight.value):
            text = f"{title(rule)} ended: {series_text(alert)} is {number_text(sight.value)}."
            self._end(now, alert, sight.value, draft, text, watch)
        else:
            self._holds(now, alert, rule, sight.value, draft)

    def _holds(self, now: float, alert: Alert, rule: Rule, value: float, draft: Draft) -> None:
        if alert.active_at is None or alert.active_at > now:
            alert = self._put(replace(alert, active_at=now), draft)  # the clock was set back
        if alert.state is State.PENDING and life.is_due(alert, rule, now):
            alert = life.fire(alert, rule, value, now)
            self._put(alert, draft)
            self._event(draft, now, "firing", f"{title(rule)}: {reading(alert)}", alert)
        elif alert.no_data:
            self._put(replace(alert, no_data=False, value=value), draft)
        elif value != alert.value and not 0 <= now - self._shown_at.get(alert.id, -math.inf) < self._value_refresh:
            self._shown_at[alert.id] = now
            self._put(replace(alert, value=value), draft, lasting=False)

    def _without_data(self, now: float, alert: Alert, awaited: bool, draft: Draft, watch: RuleWatch) -> None:
        if alert.state is State.FIRING:
            if not alert.no_data:
                self._put(life.lose_data(alert), draft)
        elif not awaited:
            self._end(now, alert, None, draft, "", watch)

    def _end(
        self, now: float, alert: Alert, value: float | None, draft: Draft, text: str, watch: RuleWatch | None = None
    ) -> None:
        """The alert is over. With a `watch` (its rule lives on) whoever was told of the firing is told of the end."""
        if watch is not None:
            watch.forget(alert.id)
        self._shown_at.pop(alert.id, None)
        self._emptied.update(alert.silenced_by)
        if alert.state is State.PENDING:
            calm = life.calm(alert)
            if calm is not None:
                self._put(calm, draft)
            else:
                self._drop(alert.id, draft)
            return
        ended = life.resolve(alert, value, now)
        if watch is not None and life.was_told(alert) and watch.rule.actions:
            ended = replace(ended, notified_count=ended.notified_count + 1)
            notice = f"{text} It fired for {rough_duration(now - (alert.fired_at or now))}."
            draft.notifications.append(Notification("resolved", ended, watch.rule, notice, now))
        self._put(ended, draft)
        self._event(draft, now, "resolved", text, ended)

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
