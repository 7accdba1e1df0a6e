"""A real engine that is fed a value a second, and a book that judges rules on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from monitor.alerting.book import AlertBook
from monitor.alerting.model import Alert, Rule, State
from monitor.alerting.rules import parse_rules
from monitor.alerting.world import Answered
from monitor.engine import Engine, EngineSettings
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key

START = 1_700_000_000.0


def rules_of(text: str) -> tuple[Rule, ...]:
    return parse_rules(text, "test.toml")


def rule_of(condition: str, more: str = "", metric: str = 'metric = "m"', name: str = "r") -> Rule:
    return rules_of(f'[[rule]]\nid = "{name}"\n{metric}\ncondition = {{ {condition} }}\n{more}\n')[0]


class Living:
    """`play(10, a=5)` lets the gauge `m{s="a"}` say 5 for ten seconds; values may be functions of the second."""

    def __init__(self, *rules: Rule, kind: Kind = Kind.GAUGE, book: AlertBook | None = None, idle_expiry: float = 3600.0) -> None:
        self.engine, self.book, self.space = (
            Engine(EngineSettings(idle_expiry=idle_expiry)),
            book or AlertBook(value_refresh=0),
            KeySpace(),
        )
        self.rules, self.kind, self.second = rules, kind, 0
        self.answers: dict[str, Answered] = {}
        self.told: list[tuple[int, str, str]] = []
        self.tags: dict[str, dict[str, str]] = {}

    def play(self, seconds: int, **values: Any) -> None:
        ids = {
            name: self.space.add(series_key("m", {"s": name, **self.tags.get(name, {})}.items()), self.kind) for name in values
        }
        for _ in range(seconds):
            for name, value in values.items():
                said = value(self.second) if callable(value) else value
                if said is not None:
                    at = np.array([START + self.second + 0.5])
                    self.engine.ingest(Batch(self.space, np.array([ids[name]], np.int32), np.array([float(said)]), at))
            self.second += 1
            frame = self.engine.tick(START + self.second)
            outcome = self.book.judge(frame.time, self.rules, self.engine, self.answers)
            self.told += [(self.second, event.kind, event.text) for event in outcome.events]

    def states(self) -> Mapping[str, State]:
        """By rule and the labels that are not the rule's own."""
        return {_name(alert): alert.state for alert in self.book.alerts.values()}

    def firing(self) -> list[str]:
        return sorted(name for name, state in self.states().items() if state is State.FIRING)

    def alert(self, name: str) -> Alert:
        return next(alert for alert in self.book.alerts.values() if _name(alert) == name)

    def times(self, kind: str) -> list[int]:
        return [at for at, told, _ in self.told if told == kind]


def _name(alert: Alert) -> str:
    own = {"__name__", "alertname", "severity"}
    return " ".join([alert.rule_id, *(f"{name}={value}" for name, value in alert.labels if name not in own)])
