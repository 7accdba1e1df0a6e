"""Alerts, silences, rules and events of the in-memory collector: plain state that answers commands as a collector does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from monitor.alerting.incidents import Incident
from monitor.alerting.model import (
    Acknowledgement,
    Alert,
    Event,
    Firing,
    Rule,
    RuleFile,
    RuleProblem,
    Severity,
    Silence,
    State,
)
from monitor.alerting.rules import RulesError, parse_rules
from monitor.alerting.why_routed import Routed, explain
from monitor.model.series import SeriesKey
from monitor.wire import messages as m
from monitor.wire.messages import Request
from ui.client.fake_silences import CommandError, FakeSilences

__all__ = ["CommandError", "FakeAlerts", "alert_for", "past_firings"]


class FakeAlerts(FakeSilences):
    """State behind `alerts_since`, `rules` and `events_since`. `clock` gives the collector's now."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self.files: dict[str, RuleFile] = {}
        self.rules: dict[str, Rule] = {}
        self.rules_revision = 0
        self.groups: tuple[m.GroupRule, ...] = ()
        self.routed: Routed | None = None
        """How its routes stand; None: it has none."""
        self.incidents: dict[str, Incident] = {}

    # ------------------------------------------------------------ what is told

    def since(self, revision: int) -> tuple[int, Iterable[Alert], Iterable[Silence], Iterable[str]]:
        alerts = [alert for alert in self.alerts.values() if alert.revision > revision]
        silences = [silence for silence in self.silences.values() if silence.revision > revision]
        removed = [alert for alert, at in self._removed.items() if at > revision] if revision else []
        return self.revision, alerts, silences, removed

    def told_rules(self) -> m.Rules:
        return m.Rules(self.rules_revision, tuple(self.rules.values()), tuple(self.files.values()), self.groups)

    def events_since(self, event: int) -> list[Event]:
        return [e for e in self.events if e.id > event]

    # ------------------------------------------------------------ the script

    def remove(self, alert: str) -> None:
        self.revision += 1
        del self.alerts[alert]
        self._removed[alert] = self.revision

    def fire(self, alert: str, value: float | None = None) -> None:
        """The alert begins to fire now."""
        held, now = self._alert(alert), self._clock()
        firings = (*held.firings, Firing(now, None, held.severity))
        new = msgspec.structs.replace(
            held, state=State.FIRING, since=now, fired_at=now, firings=firings, resolved_at=None, ack=None, value=value
        )
        self.put(new)
        self.log("firing", f"{held.rule_id} is firing", alert=held)

    def resolve(self, alert: str, value: float | None = None) -> None:
        """The alert ends now."""
        held, now = self._alert(alert), self._clock()
        firings = tuple(f if f.end is not None else Firing(f.start, now, f.severity) for f in held.firings)
        self.put(
            msgspec.structs.replace(
                held, state=State.RESOLVED, since=now, resolved_at=now, firings=firings, ack=None, value=value
            )
        )
        self.log("resolved", f"{held.rule_id} is over", alert=held)

    def load(self, file: str, text: str) -> None:
        """Puts a rule file in force. Raises `RulesError`."""
        rules = parse_rules(text, file)
        self.rules_revision += 1
        self.rules = {name: rule for name, rule in self.rules.items() if rule.file != file}
        self.rules |= {rule.id: rule for rule in rules}
        self.files[file] = RuleFile(file, text, self.rules_revision)

    def load_groups(self, file: str, text: str, groups: tuple[m.GroupRule, ...]) -> None:
        """Puts a file of Prometheus rules in force, which are said to fare so."""
        self.rules_revision += 1
        self.groups = (*(rule for rule in self.groups if rule.file != file), *groups)
        self.files[file] = RuleFile(file, text, self.rules_revision)

    # ------------------------------------------------------------ commands

    def command(self, request: Request) -> Any:
        """Carries a command out and gives its result. Raises `CommandError`."""
        match request:
            case m.Acknowledge():
                ack = Acknowledgement(request.who, self._clock(), request.note, request.expires, request.until)
                return {"acknowledged": self._set_ack(request.alerts, ack, "acknowledged", request.who)}
            case m.Release():
                return {"released": self._set_ack(request.alerts, None, "released", request.who)}
            case m.AddSilence():
                return self._silence_all(request)
            case m.EditSilence():
                return self._edit(request)
            case m.ExpireSilence():
                return self._expire(request)
            case m.WhyPaged():
                alert = self._alert(request.alert)
                steps = explain(alert, self.rules.get(alert.rule_id), self.silences, self._clock(), self.routed)
                return {"steps": msgspec.to_builtins(steps)}
            case m.GetIncidents():
                return {"incidents": msgspec.to_builtins(list(self.incidents.values()))}
            case m.AddNote():
                self.log("note", request.text, request.who, self._alert(request.alert))
                return None
            case m.AddEvent():
                self.log(request.kind, request.text, request.who)
                return None
            case m.CheckRules():
                return {"problems": _problems(request.text, request.file)}
            case m.SaveRules():
                return self._save(request.file, request.text, request.base, request.who)
            case m.EnableRule():
                return self._enable(request)
            case m.DeleteRule():
                return self._delete(request)
        raise CommandError(f"this collector has no command {type(request).__name__}")

    def _rule(self, rule: str) -> Rule:
        if rule not in self.rules:
            raise CommandError(f"there is no rule {rule[:40]}")
        return self.rules[rule]

    def _set_ack(self, ids: tuple[str, ...], ack: Acknowledgement | None, kind: str, who: str) -> list[str]:
        for alert in [self._alert(alert) for alert in ids]:
            self.put(msgspec.structs.replace(alert, ack=ack))
            self.log(kind, f"{who} {kind} {alert.rule_id}", who, alert)
        return list(ids)

    def _save(self, file: str, text: str, base: int, who: str) -> dict[str, Any]:
        held = self.files.get(file)
        if held is not None and held.revision != base:
            raise CommandError("somebody saved this file since you opened it; yours is kept as a draft")
        try:
            self.load(file, text)
        except RulesError as error:
            raise CommandError(str(error)) from None
        self.log("rule_saved", f"{who} saved {file}", who)
        return {"revision": self.rules_revision}

    def _enable(self, request: m.EnableRule) -> dict[str, Any]:
        rule = self._rule(request.rule)
        lines = self.files[rule.file].text.split("\n")
        start, end = _span(lines, rule)
        word = "true" if request.enabled else "false"
        at = next((i for i in range(start, end) if re.match(r"\s*enabled\s*=", lines[i])), None)
        if at is None:
            lines.insert(start + 1, f"enabled = {word}")
        else:
            lines[at] = re.sub(r"(=\s*)\w+", rf"\g<1>{word}", lines[at], count=1)
        return self._save(rule.file, "\n".join(lines), self.files[rule.file].revision, request.who)

    def _delete(self, request: m.DeleteRule) -> dict[str, Any]:
        rule = self._rule(request.rule)
        lines = self.files[rule.file].text.split("\n")
        start, end = _span(lines, rule)
        for alert in [alert.id for alert in self.alerts.values() if alert.rule_id == rule.id]:
            self.remove(alert)
        return self._save(rule.file, "\n".join(lines[:start] + lines[end:]), self.files[rule.file].revision, request.who)


def alert_for(rule: Rule, series: SeriesKey, state: State, since: float, value: float | None, **more: Any) -> Alert:
    """An alert of a rule and a series, as the collector would have it."""
    own = [("__name__", series.name), ("alertname", rule.id), ("severity", rule.severity)]
    labels = tuple(sorted({**dict(series.tags), **dict(rule.labels), **dict(own)}.items()))
    condition = rule.condition
    return Alert(
        f"{rule.id}-{series.label()}",
        rule.id,
        labels,
        rule.severity,
        state,
        since,
        value,
        condition.value,
        condition.operator,
        series=series,
        **more,
    )


def past_firings(now: float, severity: Severity, *hours: tuple[float, float]) -> tuple[Firing, ...]:
    """Firings that began so many hours ago and lasted so many minutes."""
    return tuple(Firing(now - ago * 3600, now - ago * 3600 + minutes * 60, severity) for ago, minutes in hours)


def _problems(text: str, file: str) -> tuple[RuleProblem, ...]:
    try:
        parse_rules(text, file)
    except RulesError as error:
        return error.problems
    return ()


def _span(lines: list[str], rule: Rule) -> tuple[int, int]:
    """Lines [start, end) of the rule's table."""
    start = rule.line - 1
    end = next((i for i in range(start + 1, len(lines)) if lines[i].lstrip().startswith("[[")), len(lines))
    return start, end
