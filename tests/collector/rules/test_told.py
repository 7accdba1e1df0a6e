"""PromQL conditions are asked at their pace, and alerts of Prometheus files reach the book with their states decided."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np
import pytest

from collector.rules.asked import Asked, GroupAlerts
from collector.rules.groups import GroupRunner
from monitor.alerting.model import Rule
from monitor.query.history import Answer, Labels, Matrix, QueryError
from monitor.query.rulegroups import GroupRule, RuleGroup
from tests.collector.server.stage import until
from tests.monitor.alerting.living import rule_of


def vector(*series: tuple[Labels, float]) -> Answer:
    values = np.array([[value] for _, value in series]).reshape(len(series), 1)
    return Answer("vector", Matrix(tuple(labels for labels, _ in series), np.array([0]), values, np.ones(values.shape, np.bool_)))


class World:
    """A clock, and answers by expression."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, float]] = []
        self.held = asyncio.Event()
        self.held.set()

    async def instant(self, expr: str, at: int) -> Answer:
        self.asked.append((expr, at / 1000))
        await self.held.wait()
        if expr not in self.answers:
            raise QueryError("it is broken")
        return self.answers[expr]

    @contextlib.asynccontextmanager
    async def asking(self, *rules: Rule) -> AsyncIterator[Asked]:
        asked = Asked(self.instant, lambda: self.now)
        asked.load(rules)
        task = asyncio.create_task(asked.run())
        try:
            yield asked
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def asking(expr: str, name: str = "r", every: str = "10s") -> Rule:
    return rule_of(f'type = "promql", expr = "{expr}", every = "{every}"', metric="", name=name)


async def test_a_rule_is_asked_at_once_and_then_at_its_pace() -> None:
    world = World()
    world.answers["up > 0"] = vector(((("__name__", "up"), ("job", "a")), 1.0))
    async with world.asking(asking("up > 0")) as asked:
        await until(lambda: "r" in asked.answers)
        assert [(instance.series.tags, instance.value) for instance in asked.answers["r"].instances] == [((("job", "a"),), 1.0)]
        world.now += 9
        await asyncio.sleep(0.05)
        assert len(world.asked) == 1
        world.now += 1
        await until(lambda: len(world.asked) == 2)


async def test_a_failure_is_told_counted_and_asked_again() -> None:
    world = World()
    async with world.asking(asking("up > 0", every="1s")) as asked:
        await until(lambda: "r" in asked.answers)
        assert asked.answers["r"].error == "it is broken"
        world.answers["up > 0"] = vector()
        world.now += 1
        await until(lambda: not asked.answers["r"].error)
        assert asked.failures == 1


async def test_turns_that_a_slow_question_takes_are_left_out_and_counted() -> None:
    world = World()
    world.answers["up > 0"] = vector()
    world.held.clear()
    async with world.asking(asking("up > 0")) as asked:
        await until(lambda: world.asked)
        world.now += 35
        world.held.set()
        await until(lambda: "r" in asked.answers)
        assert asked.figures()["rule_queries_missed_total"] == 3


async def test_what_a_changed_rule_asked_before_is_forgotten() -> None:
    world = World()
    world.answers |= {"up > 0": vector(), "up > 1": vector((((("a", "b"),)), 2.0))}
    async with world.asking(asking("up > 0"), asking("up > 0", "other")) as asked:
        await until(lambda: len(asked.answers) == 2)
        kept = asked.answers["other"]
        asked.load([asking("up > 1"), asking("up > 0", "other")])
        assert "r" not in asked.answers
        await until(lambda: "r" in asked.answers)
        assert len(asked.answers["r"].instances) == 1
        assert asked.answers["other"] is kept


@pytest.mark.parametrize("answer", [Answer("string", text="x"), vector(*((((("n", str(n)),)), 1.0) for n in range(10_001)))])
async def test_an_answer_that_cannot_be_alerts_says_why(answer: Answer) -> None:
    world = World()
    world.answers["up"] = answer
    answered = await Asked(world.instant).ask("up", 1.0)
    assert answered.error
    assert answered.instances == ()


async def test_alerts_of_a_prometheus_file_come_with_their_states_and_words() -> None:
    world = World()
    world.answers["x"] = vector(((("job", "a"),), 5.0))
    runner = GroupRunner(world.instant, lambda samples, at: None, None, lambda: world.now)
    rule = GroupRule(
        "x", alert="Slow", for_seconds=20, labels=(("severity", "page"),), annotations=(("summary", "{{ $value }}"),)
    )
    runner.load([RuleGroup("g", "f.yml", (rule,), 10.0)])
    told = GroupAlerts()
    told.load(runner.groups, ())
    told.look()
    assert (told.rules[0].id, told.rules[0].for_seconds, told.answers) == ("Slow", 20, {})
    await runner.judge(runner.groups[0], 1_000_000)
    told.look()
    (instance,) = told.answers["Slow"].instances
    assert (instance.decided, instance.active_at, instance.summary) == ("pending", 1000.0, "5")
    assert instance.labels == (("alertname", "Slow"), ("job", "a"), ("severity", "page"))
    await runner.judge(runner.groups[0], 1_020_000)
    told.look()
    assert told.answers["Slow"].instances[0].decided == "firing"
    world.answers["x"] = vector()
    await runner.judge(runner.groups[0], 1_040_000)
    told.look()
    assert told.answers["Slow"].instances == ()


async def test_two_alerting_rules_of_one_name_have_ids_of_their_own() -> None:
    runner = GroupRunner(World().instant, lambda samples, at: None, None)
    rule = GroupRule("x", alert="Slow")
    runner.load([RuleGroup("g", "f.yml", (rule, rule)), RuleGroup("h", "f.yml", (rule,))])
    told = GroupAlerts()
    told.load(runner.groups, ["Slow"])
    assert [rule.id for rule in told.rules] == ["Slow (f.yml, g)", "Slow (f.yml, g 2)", "Slow (f.yml, h)"]
