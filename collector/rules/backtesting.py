"""`BacktestRule` of the stream: rules in force or as they are being written, judged over the history in a thread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from collector.rules.files import RuleFileError, is_prometheus
from collector.server.backend import CommandError
from monitor.alerting.backtest import Backtest, BacktestError, backtest
from monitor.alerting.condition_reader import limit_of
from monitor.alerting.conditions import QueryCondition
from monitor.alerting.model import Rule
from monitor.alerting.rule_reader import NOTHING
from monitor.alerting.rules import RulesError, parse_rules
from monitor.query.history import History, QueryError, TimeoutQueryError
from monitor.query.parse import parse
from monitor.query.rulegroups import RuleGroup, read_groups
from monitor.wire.backtest import BacktestRule

MAX_TEXT = 256 * 1024
MAX_RULES = 50
MAX_LAST = 400 * 86_400.0
PATIENCE = 120.0


class Backtesting:
    """One at a time; each answer takes two minutes at most."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._one = asyncio.Semaphore(1)

    async def answer(self, request: BacktestRule, rules: Sequence[Rule]) -> dict[str, Any]:
        """{"tests": [Backtest]}. `rules` are those in force. Raises `CommandError`."""
        if not 1 <= request.last <= MAX_LAST:
            raise CommandError("last must be between a second and 400 days")
        if not 0 <= request.step <= 86_400:
            raise CommandError("step must be between 0 (as fine as possible) and a day")
        chosen = _chosen(request, rules)
        others = {rule.id: rule for rule in (*rules, *chosen)}
        end = request.end or time.time()
        deadline = time.monotonic() + PATIENCE

        def check() -> None:
            if time.monotonic() > deadline:
                raise TimeoutQueryError(f"it takes longer than {PATIENCE:g} s; choose a shorter time or a longer step")

        def judged() -> list[Backtest]:
            return [backtest(rule, self._history, end - request.last, end, request.step, others, check) for rule in chosen]

        if self._one.locked():
            raise CommandError("Another rule is being tried on the past; wait until it is done.")
        async with self._one:
            try:
                return {"tests": msgspec.to_builtins(await asyncio.to_thread(judged))}
            except (BacktestError, QueryError, ValueError) as error:
                raise CommandError(f"It cannot be tried on the past: {error}") from None


def _chosen(request: BacktestRule, rules: Sequence[Rule]) -> list[Rule]:
    if not request.text:
        found = [rule for rule in rules if rule.id == request.rule]
        if not found:
            raise CommandError(f"There is no rule {request.rule!r}; 'lightship rules list' shows those there are.")
        return found
    if len(request.text) > MAX_TEXT:
        raise CommandError(f"The rules have {len(request.text):,} characters (at most {MAX_TEXT:,}); try fewer at once.")
    try:
        read = _groups(request) if is_prometheus(request.file) else list(parse_rules(request.text, request.file or "rule.toml"))
    except RulesError as error:
        raise CommandError(str(error.problems[0])) from None
    except RuleFileError as error:
        raise CommandError(str(error)) from None
    chosen = [rule for rule in read if request.rule in ("", rule.id)]
    if not chosen or len(chosen) > MAX_RULES:
        raise CommandError(f"{len(chosen)} rules to try; name one, or send between 1 and {MAX_RULES}")
    return chosen


def _groups(request: BacktestRule) -> list[Rule]:
    from collector.rules.yaml_tree import read_yaml

    return [rule for group in read_groups(read_yaml(request.text, request.file), request.file) for rule in alerting_rules(group)]


def alerting_rules(group: RuleGroup) -> list[Rule]:
    """The alerting rules of a group of Prometheus rules as rules that are judged alike. Who is told is not theirs to say."""
    return [
        Rule(
            id=rule.alert,
            selector=NOTHING,
            condition=QueryCondition(*limit_of(parse(rule.expr)), 0.0, "value", None, rule.expr, group.interval or 60.0),
            for_seconds=rule.for_seconds,
            keep_firing_for=rule.keep_firing_for,
            labels=tuple(pair for pair in rule.labels if "{{" not in pair[1]),
            cooldown=0.0,
            file=group.file,
            line=rule.line,
        )
        for rule in group.rules
        if rule.alert
    ]
