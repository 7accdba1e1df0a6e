"""Runs unit tests of rules: the code that judges live, on a clock of their own. Source: cmd/promtool/unittest.go."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.query.evaluator import Evaluator
from monitor.query.groupstate import RuleFailedError, RuleState
from monitor.query.histogram import Histogram
from monitor.query.history import Answer, Labels, QueryError
from monitor.query.memory import Bounds, MemoryHistory
from monitor.query.rulegroups import RuleGroup
from monitor.query.ruletest.cases import AlertTest, Case, Pairs, QueryTest, TestFile
from monitor.query.templates import Answers, Surroundings, UnansweredError, failed

MAX_JUDGEMENTS = 1_000_000
_FOREVER = 1 << 60
_Alert = tuple[Pairs, Pairs]


@dataclass(frozen=True, slots=True)
class Failure:
    """A test that did not come out: where, what, and what was there instead."""

    line: int
    what: str
    expected: str = ""
    got: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}" + (f"\n    expected {self.expected}\n    got      {self.got}" if self.got else "")


def run_tests(tests: TestFile, groups: Sequence[RuleGroup]) -> list[Failure]:
    """All failures, in the order of the file; none: all is as expected."""
    place = {name: number for number, name in enumerate(tests.order)}
    ordered = sorted(groups, key=lambda group: place.get(group.name, 0))
    return [failure for case in tests.cases for failure in _Running(case, tests, ordered).failures()]


class _Running:
    def __init__(self, case: Case, tests: TestFile, groups: Sequence[RuleGroup]) -> None:
        self._case = case
        self._every = tests.interval
        self._same: Callable[[float, float], bool] = _close if tests.fuzzy else lambda one, other: one == other
        self._groups = [(group, [RuleState(rule) for rule in group.rules]) for group in groups]
        self._around = Surroundings(dict(case.external_labels), case.external_url)
        self._history = MemoryHistory(Bounds(samples=50_000_000, age=_FOREVER, late=_FOREVER))
        self._evaluator = Evaluator(self._history)

    def failures(self) -> list[Failure]:
        case = self._case
        self._load()
        last = max([*(test.at for test in case.alerts), *(test.at for test in case.queries)], default=0)
        if last // self._every > MAX_JUDGEMENTS:
            return [Failure(case.line, f"more than {MAX_JUDGEMENTS:,} judgements; choose a longer evaluation_interval")]
        waiting = sorted(case.alerts, key=lambda test: test.at)
        found: list[Failure] = []
        for now in range(0, last + 1, self._every):
            broken = self._judge(now)
            if broken:
                return found + broken
            while waiting and waiting[0].at < now + self._every:
                found += self._alerts(waiting.pop(0))
        return found + [failure for test in case.queries for failure in self._query(test)]

    def _load(self) -> None:
        for labels, points in self._case.series:
            floats = [(p, c) for p, c in zip(points.places, points.cells, strict=True) if not isinstance(c, Histogram)]
            stacks = [(p, c) for p, c in zip(points.places, points.cells, strict=True) if isinstance(c, Histogram)]
            if floats:
                times = np.array([place for place, _ in floats], np.int64) * self._case.interval
                self._history.append(labels, times, np.array([value for _, value in floats], np.float64))
            if stacks:
                times = np.array([place for place, _ in stacks], np.int64) * self._case.interval
                self._history.append_histograms(labels, times, [histogram for _, histogram in stacks])

    def _judge(self, now: int) -> list[Failure]:
        broken: list[Failure] = []
        for group, states in self._groups:
            for state in states:
                try:
                    samples = self._judged(state, self._evaluator.instant(state.rule.expr, now), now, group.limit)
                except (QueryError, RuleFailedError) as error:
                    broken.append(Failure(self._case.line, f"rule {state.rule.name} at {now / 1000:g} s: {error}"))
                    samples = state.fail()
                for labels, value in samples:
                    self._history.append(labels, np.array([now], np.int64), np.array([value]))
        return broken

    def _judged(self, state: RuleState, answer: Answer, now: int, limit: int) -> list[tuple[Labels, float]]:
        answers = Answers()
        while True:
            try:
                return state.judge(answer, now, limit, self._around, answers)
            except UnansweredError:
                for query in answers.taken():
                    try:
                        answers.known[query] = self._evaluator.instant(query, now)
                    except QueryError as error:
                        answers.known[query] = failed(error)

    def _alerts(self, test: AlertTest) -> list[Failure]:
        got = sorted(
            (tuple(alert.labels), tuple(sorted(alert.annotations)))
            for _, states in self._groups
            for state in states
            if state.rule.alert == test.alert
            for alert in state.alerts.values()
            if alert.state == "firing"
        )
        wanted = sorted(test.expected)
        if got == wanted:
            return []
        return [Failure(test.line, f"{test.alert} at {test.at / 1000:g} s", _shown(wanted), _shown(got))]

    def _query(self, test: QueryTest) -> list[Failure]:
        try:
            answer = self._evaluator.instant(test.expr, test.at)
        except QueryError as error:
            return [Failure(test.line, f"{test.expr} at {test.at / 1000:g} s: {error}")]
        matrix = answer.matrix
        if answer.kind not in ("vector", "scalar") or matrix is None:
            return [Failure(test.line, f"{test.expr} at {test.at / 1000:g} s: it gives neither a vector nor a scalar")]
        got: list[tuple[Labels, float | Histogram]] = []
        for row in np.flatnonzero(matrix.present[:, 0]).tolist():
            held = None if matrix.histograms is None else matrix.histograms[row, 0]
            got.append((matrix.labels[row], float(matrix.values[row, 0]) if held is None else held))
        wanted = sorted(test.expected, key=lambda pair: pair[0])
        got.sort(key=lambda pair: pair[0])
        if len(got) == len(wanted) and all(
            one[0] == other[0] and self._cell(one[1], other[1]) for one, other in zip(got, wanted, strict=True)
        ):
            return []
        return [Failure(test.line, f"{test.expr} at {test.at / 1000:g} s", _samples(wanted), _samples(got))]

    def _cell(self, one: float | Histogram, other: float | Histogram) -> bool:
        if isinstance(one, Histogram) or isinstance(other, Histogram):
            return isinstance(one, Histogram) and isinstance(other, Histogram) and str(one) == str(other)
        return self._same(one, other)


def _close(one: float, other: float) -> bool:
    """Equal but for the last bit."""
    return one == other or math.nextafter(other, -math.inf) <= one <= math.nextafter(other, math.inf)


def _shown(alerts: Sequence[_Alert]) -> str:
    return ", ".join(f"{_braced(labels)} {_braced(notes)}" for labels, notes in alerts) or "nothing"


def _samples(samples: Sequence[tuple[Labels, float | Histogram]]) -> str:
    return ", ".join(f"{_braced(labels)} {cell}" for labels, cell in samples) or "nothing"


def _braced(pairs: Sequence[tuple[str, str]]) -> str:
    return "{" + ", ".join(f'{name}="{text}"' for name, text in pairs) + "}"
