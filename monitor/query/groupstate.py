"""What a rule of a Prometheus rule file makes of its expression's answer: samples to write, and alerts with their life.

Source: prometheus.io, configuration/recording_rules and alerting_rules; rules/recording.go, rules/alerting.go; the alert
generator's compliance specification. No clock: every call is given the time it is judged at, in milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

from monitor.query.history import STALE, Answer, Labels, QueryError
from monitor.query.rulegroups import GroupRule, Pairs
from monitor.query.templates import NOWHERE, Answers, Surroundings, UnansweredError, expand

RESOLVED_KEPT = 15 * 60_000
"""Milliseconds a resolved alert is still told of."""
Sample = tuple[Labels, float]


class RuleFailedError(QueryError):
    """The answer cannot become what the rule is for; nothing of it is written."""


@dataclass(frozen=True, slots=True)
class GroupAlert:
    """One alert of an alerting rule. `labels` have `alertname`; times are milliseconds, None: not yet."""

    labels: Labels
    annotations: tuple[tuple[str, str], ...]
    state: Literal["pending", "firing", "inactive"]
    value: float
    active_at: int
    fired_at: int | None = None
    resolved_at: int | None = None
    kept_since: int | None = None


@dataclass
class RuleState:
    """A rule as it stands: its last judgement and what it has written or raised. `held`: series of the last judgement."""

    rule: GroupRule
    alerts: dict[Labels, GroupAlert] = field(default_factory=dict)
    held: frozenset[Labels] = frozenset()
    error: str = ""
    judged_at: int = 0
    took: float = 0.0

    @property
    def health(self) -> Literal["ok", "err", "unknown"]:
        return "err" if self.error else "ok" if self.judged_at else "unknown"

    @property
    def state(self) -> Literal["firing", "pending", "inactive"]:
        """The worst state of its alerts."""
        states = {alert.state for alert in self.alerts.values()}
        return "firing" if "firing" in states else "pending" if "pending" in states else "inactive"

    def judge(
        self, answer: Answer, now: int, limit: int = 0, around: Surroundings = NOWHERE, answers: Answers | None = None
    ) -> list[Sample]:
        """Samples to write at `now`, markers for series that ended among them. Raises `RuleFailedError`.

        Raises `UnansweredError` where templates ask queries that `answers` does not know: nothing was judged, and it is to be
        called again once they are answered.
        """
        if self.rule.record:
            samples = self._recorded(answer, limit)
        else:
            self._alert(answer, now, limit, around, answers or Answers())
            samples = self._told()
        return self._with_ends(samples)

    def fail(self) -> list[Sample]:
        """The expression failed: what was written says nothing from here on; alerts stay as they are."""
        return self._with_ends([]) if self.rule.record else []

    def restore(self, earlier: dict[Labels, tuple[float, int]], now: int, grace: int) -> None:
        """After a restart: `earlier` has when alerts became active (seconds) and the time that was last said (milliseconds).

        As Prometheus restores `for`: what would have fired by then fires at once, another waits what was left, at least `grace`.
        """
        hold = round(self.rule.for_seconds * 1000)
        for labels, alert in self.alerts.items():
            if labels not in earlier or alert.state != "pending":
                continue
            active_at, told_at = round(earlier[labels][0] * 1000), earlier[labels][1]
            left = hold - (told_at - active_at)
            if left <= 0:
                restored = active_at
            elif left < grace:
                restored = now + grace - hold
            else:
                restored = active_at + (now - told_at)
            self.alerts[labels] = replace(alert, active_at=min(restored, now))

    # ------------------------------------------------------------ recording

    def _recorded(self, answer: Answer, limit: int) -> list[Sample]:
        found = _vector(answer)
        own = dict(self.rule.labels)
        samples = [(_labels({**dict(labels), "__name__": self.rule.record, **own}), value) for labels, value in found]
        _check(samples, limit, "series")
        return samples

    # ------------------------------------------------------------ alerting

    def _seen(self, answer: Answer, around: Surroundings, answers: Answers) -> dict[Labels, tuple[float, Pairs]]:
        """What the answer says by the labels of the alerts: value and annotations."""
        rule, seen = self.rule, {}
        for labels, value in _vector(answer):
            told = dict(labels)  # templates see the name too

            def filled(pairs: Pairs, told: dict[str, str] = told, value: float = value) -> Pairs:
                return tuple((name, expand(text, told, value, rule.alert, around, answers)) for name, text in pairs)

            try:
                own, notes = filled(rule.labels), filled(rule.annotations)
            except UnansweredError:  # the others may ask something as well
                continue
            alert = _labels({**told, "__name__": "", **dict(own), "alertname": rule.alert})
            if alert in seen and not answers.wanted:
                raise RuleFailedError("vector contains metrics with the same labelset after applying alert labels")
            seen[alert] = (value, notes)
        if answers.wanted:
            raise UnansweredError
        return seen

    def _alert(self, answer: Answer, now: int, limit: int, around: Surroundings, answers: Answers) -> None:
        seen = self._seen(answer, around, answers)
        for told, (value, notes) in seen.items():
            before = self.alerts.get(told)
            if before is None or before.state == "inactive":
                self.alerts[told] = GroupAlert(told, notes, "pending", value, now)
            else:
                self.alerts[told] = replace(before, value=value, annotations=notes, kept_since=None)
        for told, alert in list(self.alerts.items()):
            after = self._absent(alert, now) if told not in seen else self._present(alert, now)
            if after is None:
                del self.alerts[told]
            else:
                self.alerts[told] = after
        active = sum(alert.state != "inactive" for alert in self.alerts.values())
        if limit and active > limit:
            self.alerts.clear()
            raise RuleFailedError(f"exceeded limit of {limit} with {active} alerts")

    def _present(self, alert: GroupAlert, now: int) -> GroupAlert:
        if alert.state == "pending" and now - alert.active_at >= self.rule.for_seconds * 1000:
            return replace(alert, state="firing", fired_at=now)
        return alert

    def _absent(self, alert: GroupAlert, now: int) -> GroupAlert | None:
        if alert.state == "pending":
            return None
        if alert.state == "inactive":
            return alert if now - (alert.resolved_at or 0) <= RESOLVED_KEPT else None
        kept = alert.kept_since if alert.kept_since is not None else now
        if now - kept < self.rule.keep_firing_for * 1000:
            return replace(alert, kept_since=kept)
        return replace(alert, state="inactive", resolved_at=now, kept_since=None)

    def _told(self) -> list[Sample]:
        samples: list[Sample] = []
        for alert in self.alerts.values():
            if alert.state != "inactive":
                labels = dict(alert.labels)
                samples.append((_labels({**labels, "__name__": "ALERTS", "alertstate": alert.state}), 1.0))
                samples.append((_labels({**labels, "__name__": "ALERTS_FOR_STATE"}), math.floor(alert.active_at / 1000)))
        return samples

    def _with_ends(self, samples: list[Sample]) -> list[Sample]:
        now = frozenset(labels for labels, _ in samples)
        ended = [(labels, STALE) for labels in self.held - now]
        self.held = now
        return samples + ended


def _vector(answer: Answer) -> list[Sample]:
    """The answer's series and values; a scalar is a series without labels."""
    if answer.kind not in ("vector", "scalar") or answer.matrix is None:
        raise RuleFailedError("rule result is not a vector or scalar")
    matrix = answer.matrix
    if matrix.histograms is not None and any(cell is not None for cell in matrix.histograms.reshape(-1).tolist()):
        raise RuleFailedError("the expression gives native histograms; take a quantile, count or sum of them")
    values, present = matrix.values[:, 0].tolist(), matrix.present[:, 0].tolist()
    return [(labels, value) for labels, value, there in zip(matrix.labels, values, present, strict=True) if there]


def _labels(pairs: dict[str, str]) -> Labels:
    return tuple(sorted((name, value) for name, value in pairs.items() if value))


def _check(samples: list[Sample], limit: int, what: str) -> None:
    if len({labels for labels, _ in samples}) < len(samples):
        raise RuleFailedError("vector contains metrics with the same labelset after applying rule labels")
    if limit and len(samples) > limit:
        raise RuleFailedError(f"exceeded limit of {limit} with {len(samples)} {what}")
