"""What becomes of each alert at a tick: begun, held, without data, cleared, ended."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec.structs import replace

from monitor.alerting import life
from monitor.alerting.damping import Damping, flap_on
from monitor.alerting.durations import rough_duration
from monitor.alerting.model import Alert, Notification, Rule, State
from monitor.alerting.outcome import Draft
from monitor.alerting.schedules import interval_of
from monitor.alerting.watch import RuleWatch, Seen
from monitor.alerting.wording import number_text, reading, series_text, title
from monitor.alerting.world import Instance, World

RESTORE_GRACE = 600.0
VALUE_REFRESH = 5.0
MAX_INSTANCES = 1000
MAX_ACTIVE = 10_000


class Judging(Damping):
    """Rules judged one by one. The book decides when, and who is told."""

    def __init__(self, instances_per_rule: int = MAX_INSTANCES, value_refresh: float = VALUE_REFRESH) -> None:
        super().__init__()
        self.problems: dict[str, str] = {}
        """Rule id -> a sentence on why it cannot be judged, or not on every series."""
        self.refused_instances = 0
        """How many alerts the bounds kept out, over all ticks."""
        self._limit = instances_per_rule
        self._value_refresh = value_refresh
        self._watches: dict[str, RuleWatch] = {}
        self._active = 0
        """Active alerts at the start of a judgement and those begun since; what ends meanwhile leaves room for the next."""
        self._shown_at: dict[str, float] = {}

    def _alerts_of(self, rule_id: str) -> Sequence[Alert] | None:
        watch = self._watches.get(rule_id)
        return None if watch is None else [self._alerts[name] for name in watch.alerts if name in self._alerts]

    def _judge_rule(self, now: float, watch: RuleWatch, world: World, draft: Draft) -> None:
        rule = watch.rule
        if rule.schedule is not None and not interval_of(rule.schedule).holds(now):
            for name in watch.alerts:
                text = f"{title(rule)} ended: it is not judged at this time."
                self._end(now, self._alerts[name], None, draft, text, watch)
            return
        room = min(self._limit - len(watch), MAX_ACTIVE - self._active)
        before = len(watch)
        try:
            seen = watch.look(world, max(0, room))
        except (ValueError, LookupError) as error:
            # The rule cannot be judged, which says nothing about its series: its alerts stay as they are.
            self.problems[rule.id] = f"Cannot be judged: {str(error)[:200]}"
            return
        self.problems.pop(rule.id, None)
        self._active += len(watch) - before
        if watch.refused:
            self.refused_instances += watch.refused
            self.problems[rule.id] = (
                f"{watch.refused:,} more series meet the condition, but only {len(watch):,} alerts are kept; narrow the selector."
            )
        for sight in seen:
            self._judge_one(now, watch, sight, draft)

    def _judge_one(self, now: float, watch: RuleWatch, sight: Seen, draft: Draft) -> None:
        rule, alert = watch.rule, self._alerts.get(sight.alert)
        if sight.series is not None:
            alert = self._begin(now, rule, sight, alert, draft)
        if alert is None:
            return
        if sight.gone or sight.awaited:
            if sight.gone or now - self._restored_at >= RESTORE_GRACE:
                self._clear(now, alert, None, f"{title(rule)} ended: {series_text(alert)} is gone.", draft, watch)
            elif rule.no_data == "keep":
                self._without_data(now, alert, sight, draft, watch)
        elif sight.instance is not None:
            self._as_told(now, alert, sight, sight.instance, draft, watch)
        elif math.isnan(sight.value):
            self._without_data(now, alert, sight, draft, watch)
        elif not life.holds_on(alert, rule, sight.value):
            text = f"{title(rule)} ended: {series_text(alert)} is {number_text(sight.value)}."
            self._clear(now, alert, sight.value, text, draft, watch)
        else:
            self._holds(now, alert, rule, sight, draft)

    def _begin(self, now: float, rule: Rule, sight: Seen, before: Alert | None, draft: Draft) -> Alert:
        assert sight.series is not None
        alert = life.begin(rule, sight, sight.series, before, now)
        alert = replace(alert, silenced_by=self._silences.on(dict(alert.labels)))
        if rule.for_seconds > 0 or (sight.instance is not None and sight.instance.decided == "pending"):
            self._put(alert, draft)
            self._event(draft, now, "pending", f"{title(rule)}: {reading(alert)}", alert)
        return alert

    def _as_told(self, now: float, alert: Alert, sight: Seen, told: Instance, draft: Draft, watch: RuleWatch) -> None:
        """What an answer says of it; a rule of a Prometheus file has decided already."""
        if not told.decided:
            self._holds(now, alert, watch.rule, sight, draft)
        elif told.decided == "firing":
            self._holds(now, alert, watch.rule, sight, draft, due=True)
        elif alert.state is State.FIRING and now - self._restored_at >= RESTORE_GRACE:
            self._end(now, alert, None, draft, f"{title(watch.rule)} ended: {series_text(alert)} has begun to wait anew.", watch)

    def _holds(self, now: float, alert: Alert, rule: Rule, sight: Seen, draft: Draft, due: bool | None = None) -> None:
        """The condition holds. `due`: whether it has held for long enough, None: by the rule's `for`."""
        value = sight.value
        if alert.active_at is None or alert.active_at > now:
            alert = self._put(replace(alert, active_at=now), draft)  # the clock was set back
        if alert.kept_since is not None:
            alert = self._put(replace(alert, kept_since=None), draft)
        without = math.isnan(value) and sight.instance is None
        if alert.state is State.PENDING and (life.is_due(alert, rule, now) if due is None else due):
            alert = self._put(self._turned(now, life.fire(alert, rule, value, now), rule), draft)
            self._fired.add(alert.id)
            self._event(draft, now, "firing", f"{title(rule)}: {reading(alert)}", alert)
        elif alert.no_data != (without and alert.state is State.FIRING):
            self._put(replace(alert, no_data=without, value=life.known(value)), draft)
        else:
            self._refresh(now, alert, sight, draft)

    def _refresh(self, now: float, alert: Alert, sight: Seen, draft: Draft) -> None:
        """What is read of it now, every so often."""
        value = life.known(sight.value)
        detail = sight.instance.summary if sight.instance is not None else sight.detail
        due = not 0 <= now - self._shown_at.get(alert.id, -math.inf) < self._value_refresh
        if due and (value, detail) != (alert.value, alert.detail):
            self._shown_at[alert.id] = now
            self._put(replace(alert, value=value, detail=detail), draft, lasting=False)

    def _without_data(self, now: float, alert: Alert, sight: Seen, draft: Draft, watch: RuleWatch) -> None:
        if watch.rule.no_data == "alert":
            self._holds(now, alert, watch.rule, sight, draft)
        elif alert.state is State.FIRING:
            if watch.rule.no_data == "ok":
                text = f"{title(watch.rule)} ended: {series_text(alert)} has no data."
                self._clear(now, alert, None, text, draft, watch)
            elif not alert.no_data:
                self._put(life.lose_data(alert), draft)
        elif not sight.awaited:
            self._end(now, alert, None, draft, "", watch)

    def _clear(self, now: float, alert: Alert, value: float | None, text: str, draft: Draft, watch: RuleWatch) -> None:
        """The condition holds no more; the alert ends, unless the rule keeps it firing for a while."""
        keep = watch.rule.keep_firing_for
        if alert.state is State.FIRING and keep > 0:
            since = alert.kept_since if alert.kept_since is not None and alert.kept_since <= now else now
            if now - since < keep:
                if since != alert.kept_since:
                    self._put(replace(alert, kept_since=since, value=value), draft)
                return
        self._end(now, alert, value, draft, text, watch)

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
        ended = self._turned(now, ended, watch.rule) if watch is not None else replace(ended, flapping=None)
        if ended.flapping is not None:
            ended = flap_on(ended, alert)
        elif watch is not None and life.was_told(alert) and watch.rule.actions:
            ended = replace(ended, notified_count=ended.notified_count + 1)
            notice = f"{text} It fired for {rough_duration(now - (alert.fired_at or now))}."
            draft.notifications.append(Notification("resolved", ended, watch.rule, notice, now))
        self._put(ended, draft)
        self._event(draft, now, "resolved", text, ended)
