"""Groups are judged in order and at their pace, what a rule writes is seen by the next, and failures are told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from collector.rules.groups import GroupRunner
from monitor.query.groupstate import Sample
from monitor.query.history import Answer, Labels, Matrix, QueryError
from monitor.query.memory import MemoryHistory
from monitor.query.rulegroups import GroupRule, RuleGroup
from tests.collector.server.stage import until


class World:
    """A clock, expressions that are names of what was written, and what was asked when."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.values: dict[str, float] = {"up": 1.0}
        self.asked: list[tuple[str, int]] = []
        self.written: list[tuple[Labels, float, int]] = []
        self.runner = GroupRunner(self.instant, self.write, None, lambda: self.now)

    async def instant(self, expr: str, at: int) -> Answer:
        self.asked.append((expr, at))
        if expr == "broken":
            raise QueryError("it is broken")
        found = [expr] if expr in self.values else []
        values = np.array([[self.values[name]] for name in found]).reshape(len(found), 1)
        labels = tuple(((("__name__", name)),) for name in found)
        return Answer("vector", Matrix(labels, np.array([at]), values, np.ones(values.shape, np.bool_)))

    def write(self, samples: Sequence[Sample], at: int) -> None:
        for labels, value in samples:
            self.written.append((labels, value, at))
            self.values[dict(labels)["__name__"]] = value


def group(*rules: GroupRule, interval: float = 10.0, query_offset: float = 0.0) -> RuleGroup:
    return RuleGroup("g", "f.yml", rules, interval, 0, query_offset)


async def test_what_one_rule_writes_is_seen_by_the_next() -> None:
    world = World()
    world.runner.load([group(GroupRule("up", record="a"), GroupRule("a", record="b"))])
    await world.runner.judge(world.runner.groups[0], 5_000)
    assert [(dict(labels)["__name__"], value) for labels, value, _ in world.written] == [("a", 1.0), ("b", 1.0)]


async def test_a_query_offset_asks_and_writes_earlier() -> None:
    world = World()
    world.runner.load([group(GroupRule("up", record="a"), query_offset=2.0)])
    await world.runner.judge(world.runner.groups[0], 5_000)
    assert world.asked == [("up", 3_000)]
    assert world.written[0][2] == 3_000


async def test_a_rule_that_fails_is_told_and_the_next_is_judged() -> None:
    world = World()
    world.runner.load([group(GroupRule("broken", record="a", line=4), GroupRule("up", record="b"))])
    await world.runner.judge(world.runner.groups[0], 5_000)
    first, second = world.runner.groups[0].rules
    assert (first.health, second.health) == ("err", "ok")
    assert world.runner.notes() == ["f.yml, line 4: a fails: it is broken"]
    assert world.runner.figures()["rule_group_failures_total"] == 1


async def test_a_group_is_judged_at_its_interval_and_counts_what_it_missed() -> None:
    world = World()
    world.runner.load([group(GroupRule("up", record="a"))])
    task = asyncio.create_task(world.runner.run())
    state = world.runner.groups[0]
    try:
        world.now += 10.0
        await until(lambda: state.judged_at)
        world.now += 35.0
        world.runner.load([state.group])
        await until(lambda: state.missed)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert state.missed in (2, 3), "of 35 s one judgement is late, the others are left out"
    first, second = world.asked[0][1], world.asked[1][1]
    assert (second - first) % 10_000 == 0


async def test_rules_taken_out_of_a_file_end_their_series() -> None:
    world = World()
    keep, drop = GroupRule("up", record="a"), GroupRule("up", record="b")
    world.runner.load([group(keep, drop)])
    await world.runner.judge(world.runner.groups[0], 5_000)
    held = world.runner.groups[0].rules[0]
    world.runner.load([group(keep)])
    assert world.runner.groups[0].rules == [held]
    name, value, _ = world.written[-1]
    assert dict(name)["__name__"] == "b"
    assert np.isnan(value)


@pytest.mark.parametrize("told", [True, False])
async def test_for_goes_on_where_it_was_before_a_restart(told: bool) -> None:
    world = World()
    history = MemoryHistory()
    if told:
        labels = (("__name__", "ALERTS_FOR_STATE"), ("alertname", "Bad"))
        history.append(labels, np.array([900_000_000]), np.array([899_000.0]))
    runner = GroupRunner(world.instant, world.write, history, lambda: world.now)
    runner.load([group(GroupRule("up", alert="Bad", for_seconds=700.0))])
    await runner.judge(runner.groups[0], 900_300_000)
    (alert,) = runner.groups[0].rules[0].alerts.values()
    assert alert.active_at == (899_000_000 if told else 900_300_000)
