"""Tests of rules of TOML files: series over time, and which alerts are expected when; run by the engine and the book."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from collector.rules.asked import instances_of
from monitor.alerting.book import AlertBook
from monitor.alerting.conditions import QueryCondition
from monitor.alerting.durations import DurationError, parse_duration
from monitor.alerting.model import Alert, Rule, State
from monitor.alerting.rules import parse_rules
from monitor.alerting.world import Answered
from monitor.engine import Engine
from monitor.model.batch import Batch
from monitor.model.series import KeySpace, Kind, series_key
from monitor.query.evaluator import Evaluator
from monitor.query.history import STALE_BITS, QueryError
from monitor.query.memory import MemoryHistory
from monitor.query.ruletest.notation import NotationError, Points, labels_of, points_of

BEGIN = 1_700_000_000
MAX_SECONDS = 2 * 86_400
_STATES = (State.FIRING, State.PENDING)


class OwnTestError(ValueError):
    """A file that holds no tests; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Expect:
    """At `at` seconds these alerts of the rule are in the state: each has at least these labels."""

    at: float
    rule: str
    state: State
    alerts: tuple[dict[str, str], ...]


@dataclass
class OwnTest:
    """`series`: labels, kind and samples that lie `interval` seconds apart."""

    name: str
    interval: float
    series: list[tuple[tuple[tuple[str, str], ...], Kind, Points]] = field(default_factory=list)
    expects: list[Expect] = field(default_factory=list)


def run_own(path: Path, text: str) -> tuple[int, list[str]]:
    """How many expectations the file has, and what failed of them. Raises `OwnTestError`, and `RulesError` of the rules."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OwnTestError(f"{path.name}: {error}") from None
    rules: list[Rule] = []
    for name in _list(document, "rule_files", str, path.name):
        try:
            rules += parse_rules((path.parent / name).read_text(encoding="utf-8"), Path(name).name)
        except (OSError, UnicodeDecodeError) as error:
            raise OwnTestError(f"{path.name}: the rule file {name} cannot be read: {error}") from None
    tests = [_read(each, path.name) for each in _list(document, "test", dict, path.name)]
    known = {rule.id for rule in rules}
    for test in tests:
        for expect in test.expects:
            if expect.rule not in known:
                raise OwnTestError(f"{path.name}: {test.name} expects something of {expect.rule!r}, which no rule file has")
    return sum(len(test.expects) for test in tests), [failure for test in tests for failure in _Running(test, rules).failures()]


def _list(table: dict[str, Any], key: str, kind: type, where: str) -> list[Any]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(each, kind) for each in found):
        raise OwnTestError(f"{where}: {key} must be a list of {'tables' if kind is dict else 'texts'}")
    return found


def _seconds(table: dict[str, Any], key: str, default: str, where: str) -> float:
    try:
        return 0.0 if table.get(key) == "0" else parse_duration(str(table.get(key, default)))
    except DurationError as error:
        raise OwnTestError(f"{where}: {key}: {error}") from None


def _read(table: dict[str, Any], file: str) -> OwnTest:
    where = f"{file}, test {table.get('name', '')!r}"
    test = OwnTest(str(table.get("name", "a test")), _seconds(table, "interval", "10s", where))
    for each in _list(table, "series", dict, where):
        try:
            kind = Kind[str(each.get("kind", "gauge")).upper()]
            test.series.append((labels_of(str(each.get("series", ""))), kind, points_of(str(each.get("values", "")))))
        except (NotationError, KeyError) as error:
            raise OwnTestError(f"{where}: {error}") from None
    for each in _list(table, "expect", dict, where):
        state = str(each.get("state", "firing"))
        if state not in ("firing", "pending"):
            raise OwnTestError(f"{where}: state is firing or pending, not {state!r}")
        alerts = tuple({name: str(text) for name, text in alert.items()} for alert in _list(each, "alerts", dict, where))
        test.expects.append(Expect(_seconds(each, "at", "0", where), str(each.get("rule", "")), State(state), alerts))
    if max((expect.at for expect in test.expects), default=0.0) > MAX_SECONDS:
        raise OwnTestError(f"{where}: a test lasts two days at most")
    return test


class _Running:
    def __init__(self, test: OwnTest, rules: list[Rule]) -> None:
        self._test = test
        self._rules = rules
        self._engine, self._book, self._space = Engine(), AlertBook(value_refresh=0), KeySpace()
        self._history = MemoryHistory()
        self._evaluator = Evaluator(self._history)
        self._answers: dict[str, Answered] = {}
        self._sent: dict[int, list[tuple[int, float]]] = {}
        self._load()

    def _load(self) -> None:
        for labels, kind, points in self._test.series:
            pairs = dict(labels)
            known = self._space.add(series_key(pairs.pop("__name__", ""), pairs.items()), kind)
            times, total, kept = [], 0.0, []
            for place, cell in zip(points.places, points.cells, strict=True):
                value = float(cell) if isinstance(cell, int | float) else float("nan")
                if int(np.array([value]).view(np.uint64)[0]) == STALE_BITS or value != value:
                    continue
                at = round(place * self._test.interval)
                self._sent.setdefault(at, []).append((known, value))
                total += value
                times.append((BEGIN + at) * 1000)
                kept.append(total if kind is Kind.COUNTER else value)
            if times:
                self._history.append(labels, np.array(times, np.int64), np.array(kept))

    def failures(self) -> list[str]:
        waiting = sorted(self._test.expects, key=lambda expect: expect.at)
        failures: list[str] = []
        second = 0
        while waiting:
            batch = self._sent.get(second, ())
            if batch:
                ids, values = (np.array(column) for column in zip(*batch, strict=True))
                times = np.full(len(batch), BEGIN + second + 0.5)
                self._engine.ingest(Batch(self._space, ids.astype(np.int32), values.astype(np.float64), times))
            frame = self._engine.tick(float(BEGIN + second + 1))
            self._ask(second)
            self._book.judge(frame.time, self._rules, self._engine, self._answers)
            while waiting and waiting[0].at < second + 1:
                failures += self._look(waiting.pop(0))
            second += 1
        return failures

    def _ask(self, second: int) -> None:
        for rule in self._rules:
            if isinstance(rule.condition, QueryCondition) and second % max(1, round(rule.condition.every)) == 0:
                try:
                    answer = self._evaluator.instant(rule.condition.expression, (BEGIN + second) * 1000)
                    self._answers[rule.id] = Answered(instances_of(answer))
                except QueryError as error:
                    self._answers[rule.id] = Answered((), str(error))

    def _look(self, expect: Expect) -> list[str]:
        problem = self._book.problems.get(expect.rule, "")
        there = [alert for alert in self._book.alerts.values() if alert.rule_id == expect.rule and alert.state is expect.state]
        left = list(there)
        missing = []
        for wanted in expect.alerts:
            found = next((alert for alert in left if wanted.items() <= dict(alert.labels).items()), None)
            if found is None:
                missing.append(wanted)
            else:
                left.remove(found)
        if not missing and not left and not problem:
            return []
        said = f"{self._test.name}: {expect.rule} at {expect.at:g} s"
        return [
            f"{said}\n    expected {expect.state.value}: {_texts([*expect.alerts]) or 'nothing'}\n"
            f"    got      {_texts([_own(alert) for alert in there]) or 'nothing'}{'; ' + problem if problem else ''}"
        ]


def _own(alert: Alert) -> dict[str, str]:
    return {name: text for name, text in alert.labels if name not in ("alertname",)}


def _texts(alerts: list[dict[str, str]]) -> str:
    return ", ".join("{" + ", ".join(f'{name}="{text}"' for name, text in sorted(alert.items())) + "}" for alert in alerts)
