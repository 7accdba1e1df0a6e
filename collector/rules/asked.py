"""PromQL conditions asked at their own pace, and alerting rules of Prometheus files: what the book is told of both."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence

import numpy as np

from collector.rules.groups import GroupState
from monitor.alerting.condition_reader import limit_of
from monitor.alerting.conditions import QueryCondition
from monitor.alerting.model import Rule
from monitor.alerting.named import MAX_KNOWN
from monitor.alerting.rule_reader import NOTHING
from monitor.alerting.world import Answered, Instance
from monitor.model.series import SeriesKey
from monitor.query.groupstate import GroupAlert, RuleState
from monitor.query.history import Answer, ParseError, QueryError
from monitor.query.parse import parse

AT_ONCE = 4
_MAX_ERROR = 300

Instant = Callable[[str, int], Awaitable[Answer]]


class Asked:
    """`answers` by the rule's id: the last one of each PromQL condition. Asks until cancelled.

    A rule that is asked for the first time is asked at once; a failure is told as one and asked again at its turn.
    """

    def __init__(self, instant: Instant, clock: Callable[[], float] = time.time) -> None:
        """`instant` answers an expression at a time in ms."""
        self._instant = instant
        self._clock = clock
        self._rules: dict[str, tuple[Rule, QueryCondition]] = {}
        self._due: dict[str, float] = {}
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._changed = asyncio.Event()
        self.answers: dict[str, Answered] = {}
        self.failures = 0
        self.missed = 0
        """Turns left out because the question before took too long."""

    def load(self, rules: Iterable[Rule]) -> None:
        """These rules are in force; of the others nothing is kept, nor of one that asks something else now."""
        before = self._rules
        self._rules = {
            rule.id: (rule, condition)
            for rule in rules
            if rule.enabled and isinstance(condition := rule.condition, QueryCondition)
        }
        same = {name for name, (_, condition) in self._rules.items() if name in before and before[name][1] == condition}
        self.answers = {name: answered for name, answered in self.answers.items() if name in same}
        self._due = {name: due for name, due in self._due.items() if name in same}
        self._changed.set()

    async def run(self) -> None:
        """Ask each at its times."""
        while True:
            self._changed.clear()
            now = self._clock()
            due = [name for name in self._rules if self._next(name, now) <= now]
            if due:
                await asyncio.gather(*(self._turn(name) for name in due))
                continue
            wait = min((self._due[name] - now for name in self._rules), default=60.0)
            with contextlib.suppress(TimeoutError):
                # Never longer than a second, whatever the clock does meanwhile.
                await asyncio.wait_for(self._changed.wait(), max(0.01, min(wait, 1.0)))

    def _next(self, name: str, now: float) -> float:
        """When it is asked; a step of the clock backwards sets it anew."""
        due = self._due.get(name)
        if due is None or due - now > self._rules[name][1].every:
            due = self._due[name] = now
        return due

    async def _turn(self, name: str) -> None:
        asked = self._rules.get(name)
        if asked is None:
            return
        every, due = asked[1].every, self._due[name]
        async with self._at_once:
            answered = await self.ask(asked[1].expression, self._clock())
        if self._rules.get(name) == asked:
            self.answers[name] = answered
            now = self._clock()
            turns = max(1, int((now - due) // every) + 1)
            self.missed += turns - 1
            self._due[name] = due + turns * every

    async def ask(self, expression: str, now: float) -> Answered:
        """One answer, as the book takes it. Never raises for what is asked."""
        try:
            return Answered(instances_of(await self._instant(expression, round(now * 1000))))
        except QueryError as error:
            self.failures += 1
            return Answered((), str(error)[:_MAX_ERROR] or "the query failed")

    def figures(self) -> dict[str, float]:
        """For health."""
        return {
            "rule_queries": len(self._rules),
            "rule_query_failures_total": self.failures,
            "rule_queries_missed_total": self.missed,
        }


def instances_of(answer: Answer) -> tuple[Instance, ...]:
    """The series of an instant answer with their values. Raises `QueryError` where there are none, or too many."""
    if answer.kind not in ("vector", "scalar") or answer.matrix is None:
        raise QueryError("the expression gives neither a vector nor a scalar")
    matrix = answer.matrix
    if matrix.histograms is not None and any(cell is not None for cell in matrix.histograms.reshape(-1).tolist()):
        raise QueryError("the expression gives native histograms; take a quantile, count or sum of them")
    there = np.flatnonzero(matrix.present[:, 0]).tolist()
    if len(there) > MAX_KNOWN:
        raise QueryError(f"the expression gives {len(there):,} series (at most {MAX_KNOWN:,} can be alerts); narrow it")
    values = matrix.values[:, 0].tolist()
    return tuple(Instance(_key(matrix.labels[place]), values[place]) for place in there)


def _key(labels: Iterable[tuple[str, str]]) -> SeriesKey:
    return SeriesKey("", tuple(sorted(pair for pair in labels if pair[0] != "__name__")))


class GroupAlerts:
    """The alerting rules of Prometheus files as rules, and their alerts as answers whose states are decided already."""

    def __init__(self) -> None:
        self.rules: tuple[Rule, ...] = ()
        self.answers: dict[str, Answered] = {}
        self._states: list[tuple[Rule, RuleState]] = []
        self._judged: dict[str, int] = {}

    def load(self, groups: Sequence[GroupState], taken: Iterable[str]) -> None:
        """These groups are in force; `taken` are ids that other rules have."""
        names = set(taken)
        self._states = []
        for group in groups:
            for state in group.rules:
                if state.rule.alert:
                    name = _free(state.rule.alert, group, names)
                    names.add(name)
                    self._states.append((_rule(name, group, state), state))
        self.rules = tuple(rule for rule, _ in self._states)
        self._judged.clear()
        self.answers = {rule.id: self.answers[rule.id] for rule in self.rules if rule.id in self.answers}

    def look(self) -> None:
        """Take over what was judged since the last look."""
        for rule, state in self._states:
            if state.judged_at and self._judged.get(rule.id) != state.judged_at:
                self._judged[rule.id] = state.judged_at
                alive = (alert for alert in state.alerts.values() if alert.state != "inactive")
                self.answers[rule.id] = Answered(tuple(map(_instance, alive)), state.error)


def _free(alert: str, group: GroupState, taken: set[str]) -> str:
    """The alert's name, with its file and group where another has that name."""
    name, number = alert, 1
    while name in taken:
        name = f"{alert} ({group.group.file}, {group.group.name}{f' {number}' if number > 1 else ''})"
        number += 1
    return name


def _rule(name: str, group: GroupState, state: RuleState) -> Rule:
    rule = state.rule
    try:
        operator, value = limit_of(parse(rule.expr))
    except ParseError:
        operator, value = limit_of(None)
    runbook = dict(rule.annotations).get("runbook_url", "")
    return Rule(
        id=name,
        selector=NOTHING,
        condition=QueryCondition(operator, value, 0.0, "value", None, rule.expr, group.interval),
        name=rule.alert,
        for_seconds=rule.for_seconds,
        keep_firing_for=rule.keep_firing_for,
        runbook_url=runbook if runbook.startswith(("http://", "https://")) else "",
        labels=tuple(sorted(rule.labels)),
        file=group.group.file,
        line=rule.line,
    )


def _instance(alert: GroupAlert) -> Instance:
    said = dict(alert.annotations)
    own = tuple(pair for pair in alert.labels if pair[0] != "alertname")
    return Instance(
        SeriesKey("", own),
        alert.value,
        "firing" if alert.state == "firing" else "pending",
        alert.labels,
        alert.active_at / 1000,
        said.get("summary", said.get("message", "")),
        said.get("description", ""),
    )
