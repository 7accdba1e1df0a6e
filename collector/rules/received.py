"""Alerts that others post, as to an Alertmanager: kept, merged and ended as there, and told to the alert book as decided.

Source: Alertmanager, api/v2/api.go (postAlertsHandler), types/types.go (Merge) and provider/mem.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from monitor.alerting.conditions import QueryCondition
from monitor.alerting.life import ACTIVE
from monitor.alerting.model import Alert, Rule
from monitor.alerting.rule_reader import NOTHING
from monitor.alerting.world import Answered, Instance
from monitor.model.series import SeriesKey

Pairs = tuple[tuple[str, str], ...]

SUFFIX = " (received)"
"""Ends the ids of the rules that stand for what is received: no rule of a file may be called so."""
RESOLVE_TIMEOUT = 300.0
"""Seconds after which an alert ends that is not posted again and whose end was not said; Alertmanager's `resolve_timeout`."""
MAX_ALERTS = 10_000
MAX_RULES = 1_000
MAX_LABELS = 64
MAX_NAME = 256
MAX_VALUE = 1024
MAX_ANNOTATION = 4096
FIGURES: dict[str, str] = {
    "received_alerts_firing": "Alerts that others post and that go on.",
    "received_alerts_total": "Alerts that were posted, each time.",
    "received_alerts_refused_total": "Posted alerts that were refused: invalid, over a bound, or no room for them.",
    "received_alerts_cut_total": "Annotations of posted alerts that were over their bounds and were cut or left out.",
}


class ReceivedError(ValueError):
    """A posted alert that is not taken; the message says why. `full`: not because of the alert, there is no room."""

    def __init__(self, why: str, full: bool = False) -> None:
        super().__init__(why)
        self.full = full


class Received(msgspec.Struct, frozen=True):
    """One posted alert. `labels` are sorted and without empty ones; times are seconds since the epoch.

    `open_ended`: the sender named no end, `ends` is when it is over unless it comes again. `relayed`: it is not sent on.
    """

    labels: Pairs
    annotations: Pairs
    starts: float
    ends: float
    updated: float
    open_ended: bool = False
    generator: str = ""
    relayed: bool = False


def received(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    starts: float | None,
    ends: float | None,
    generator: str,
    now: float,
    relayed: bool = False,
) -> tuple[Received, int]:
    """What was posted as an alert, and how many annotations were cut. Raises `ReceivedError` in the words of Alertmanager where
    it would refuse too.
    """
    kept = tuple(sorted((name, value) for name, value in labels.items() if value))
    if starts is None:
        starts = now if ends is None else ends
    if ends is not None and ends < starts:
        raise ReceivedError("start time must be before end time")
    if not kept:
        raise ReceivedError("at least one label pair required")
    _check_labels(kept)
    said = [(name[:MAX_NAME], value[:MAX_ANNOTATION]) for name, value in sorted(annotations.items())[:MAX_LABELS]]
    cut = sum(len(name) > MAX_NAME or len(value) > MAX_ANNOTATION for name, value in annotations.items())
    cut += max(0, len(annotations) - MAX_LABELS)
    until = now + RESOLVE_TIMEOUT if ends is None else ends
    return Received(kept, tuple(said), starts, until, now, ends is None, generator[:MAX_ANNOTATION], relayed), cut


def _check_labels(labels: Pairs) -> None:
    if len(labels) > MAX_LABELS:
        raise ReceivedError(f"the alert has {len(labels)} labels (at most {MAX_LABELS})")
    for name, value in labels:
        if not name or len(name) > MAX_NAME:
            raise ReceivedError(f"invalid name {name[:40]!r}: a label's name has 1 to {MAX_NAME} characters")
        if len(value) > MAX_VALUE:
            raise ReceivedError(f"the label {name} has {len(value):,} characters (at most {MAX_VALUE:,})")


def merged(old: Received, new: Received) -> Received:
    """One of the two that came one after the other, where their times overlap; else the new one."""
    overlap = old.starts < new.ends < old.ends or old.starts < new.starts < old.ends
    if not overlap:
        return new
    starts, ends = min(old.starts, new.starts), new.ends
    over = new.ends <= new.updated
    if not over and not old.open_ended and old.ends > new.ends:
        ends = old.ends
    return replace(new, starts=starts, ends=ends)


class ReceivedAlerts:
    """`rules` stand for the names of alerts (`alertname`), one each; `answers` have what is firing, by the rule's id."""

    def __init__(self) -> None:
        self.rules: tuple[Rule, ...] = ()
        self.answers: dict[str, Answered] = {}
        self.revision = 0
        """Rises with every change of `rules`."""
        self._alerts: dict[Pairs, Received] = {}
        self._rules: dict[str, Rule] = {}
        self._of_rule: dict[str, set[Pairs]] = {}
        self._dirty: set[str] = set()
        self._next_end = math.inf
        self._total = self._refused = self._cut = 0

    def __len__(self) -> int:
        return len(self._alerts)

    def of(self, alert: Alert) -> Received | None:
        """What was posted for an alert of the book; None for one that is not received, or is over."""
        return self._alerts.get(alert.labels) if alert.rule_id.endswith(SUFFIX) else None

    def refuse(self, count: int = 1) -> None:
        """So many posted alerts could not be read."""
        self._total += count
        self._refused += count

    def put(self, posted: Received, cut: int = 0) -> None:
        """Take one that was posted. Raises `ReceivedError` where there is no room."""
        self._total += 1
        self._cut += cut
        before = self._alerts.get(posted.labels)
        if before is None and posted.ends <= posted.updated:
            return  # the end of what nobody here has heard of
        alert = posted if before is None else merged(before, posted)
        rule = self._rule_of(alert) if before is None else _rule_id(alert.labels)
        if before is None:
            self._of_rule.setdefault(rule, set()).add(alert.labels)
        self._alerts[alert.labels] = alert
        self._next_end = min(self._next_end, alert.ends)
        if before is None or (before.annotations, before.starts) != (alert.annotations, alert.starts):
            self._dirty.add(rule)

    def restore(self, alerts: Iterable[Alert], now: float) -> None:
        """After a start: what fires according to the book goes on until its sender has had the time to post it again.

        Of those that are over the rules are known again, by which they are named.
        """
        for alert in alerts:
            if not alert.rule_id.endswith(SUFFIX):
                continue
            said = (("summary", alert.detail),) if alert.detail else ()
            starts = alert.active_at if alert.active_at is not None else alert.since
            posted = Received(alert.labels, said, starts, now + RESOLVE_TIMEOUT, now, True, relayed=True)
            if alert.state in ACTIVE and len(self._alerts) < MAX_ALERTS:
                self.put(posted)
            elif len(self._rules) < MAX_RULES:
                self._rule_of(posted)
        self._total = 0

    def look(self, now: float) -> bool:
        """End what is over and take over what came, for a judgement; whether `rules` changed."""
        if now >= self._next_end:
            self._end(now)
        for rule in self._dirty:
            held = sorted(self._of_rule.get(rule, ()))
            self.answers[rule] = Answered(tuple(_instance(self._alerts[labels]) for labels in held))
        self._dirty.clear()
        rules = tuple(self._rules.values())
        if rules == self.rules:
            return False
        self.rules = rules
        self.revision += 1
        return True

    def figures(self) -> dict[str, float]:
        """For health."""
        return {
            "received_alerts_firing": len(self._alerts),
            "received_alerts_total": self._total,
            "received_alerts_refused_total": self._refused,
            "received_alerts_cut_total": self._cut,
        }

    def _end(self, now: float) -> None:
        for labels in [labels for labels, alert in self._alerts.items() if alert.ends <= now]:
            del self._alerts[labels]
            rule = _rule_id(labels)
            self._of_rule[rule].discard(labels)
            self._dirty.add(rule)
        self._next_end = min((alert.ends for alert in self._alerts.values()), default=math.inf)

    def _rule_of(self, alert: Received) -> str:
        """The id of the rule that stands for alerts of this name, a new one where there is none. Raises `ReceivedError`."""
        if len(self._alerts) >= MAX_ALERTS:
            self._refused += 1
            raise ReceivedError(f"{MAX_ALERTS:,} alerts of others fire already; the further ones are not taken", full=True)
        rule = _rule_id(alert.labels)
        if rule not in self._rules:
            if len(self._rules) >= MAX_RULES and not self._forget_one():
                self._refused += 1
                raise ReceivedError(f"alerts of {MAX_RULES:,} names fire already; the further ones are not taken", full=True)
            self._rules[rule] = _rule(rule, alert)
            self.answers.setdefault(rule, Answered())
        return rule

    def _forget_one(self) -> bool:
        """Of the rules that have had no alert at the last judgement, the one that came first goes."""
        idle = (rule for rule in self._rules if not self._of_rule.get(rule) and rule not in self._dirty)
        name = next(idle, None)
        if name is None:
            return False
        del self._rules[name]
        self.answers.pop(name, None)
        self._of_rule.pop(name, None)
        return True


def _rule_id(labels: Pairs) -> str:
    return _printable(dict(labels).get("alertname", "alert"))[:100] + SUFFIX


def _rule(name: str, alert: Received) -> Rule:
    runbook = dict(alert.annotations).get("runbook_url", "")
    return Rule(
        id=name,
        selector=NOTHING,
        condition=QueryCondition("ne", 0.0, 0.0, "value", None, "", 60.0),
        name=name.removesuffix(SUFFIX),
        runbook_url=runbook if runbook.startswith(("http://", "https://")) else "",
    )


def _instance(alert: Received) -> Instance:
    said = dict(alert.annotations)
    texts: Sequence[str] = [said[name] for name in ("summary", "message", "title") if name in said]
    return Instance(
        SeriesKey("", alert.labels),
        1.0,
        "firing",
        alert.labels,
        alert.starts,
        _printable(" ".join(texts[0].split())) if texts else "",
        said.get("description", ""),
    )


def _printable(text: str) -> str:
    """With U+FFFD for what would steer a terminal or turn a line around."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "\ufffd" for char in text)
