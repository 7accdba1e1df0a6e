"""Judges the groups of Prometheus rule files: each at its own pace, its rules in order, what one writes seen by the next."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from monitor.model.matchers import Matcher
from monitor.query.groupstate import RuleFailedError, RuleState, Sample
from monitor.query.history import Answer, Hints, History, Labels, QueryError, stale_at
from monitor.query.rulegroups import RuleGroup
from monitor.query.templates import NOWHERE, Answers, UnansweredError, failed
from monitor.wire.messages import GroupRule

log = logging.getLogger(__name__)

DEFAULT_INTERVAL = 60.0
AT_ONCE = 4
OUTAGE_TOLERANCE = 3_600_000
"""Milliseconds a collector may have been down and `for` still goes on where it was."""
GRACE = 600_000
_MAX_ERROR = 300

Instant = Callable[[str, int], Awaitable[Answer]]
Write = Callable[[Sequence[Sample], int], None]


@dataclass
class GroupState:
    """A group and how it fares. `missed`: judgements left out because an earlier one took too long."""

    group: RuleGroup
    rules: list[RuleState] = field(default_factory=list)
    judged_at: float = 0.0
    took: float = 0.0
    missed: int = 0
    restored: bool = False

    @property
    def interval(self) -> float:
        return self.group.interval or DEFAULT_INTERVAL

    @property
    def offset(self) -> float:
        """Seconds into its interval at which it is judged: spread over groups, the same after a restart."""
        digest = hashlib.sha256(f"{self.group.file};{self.group.name}".encode()).digest()
        return int.from_bytes(digest[:8], "big") / 2**64 * self.interval


class GroupRunner:
    """Judges until cancelled. `instant` answers an expression at a time in ms; `write` puts samples into history and windows."""

    def __init__(self, instant: Instant, write: Write, history: History | None, clock: Callable[[], float] = time.time) -> None:
        self.groups: list[GroupState] = []
        self.failures = 0
        self.around = NOWHERE
        """What templates know of where they are."""
        self.revision = 0
        """Rises when rules, their states or what is wrong with them change."""
        self._instant = instant
        self._write = write
        self._history = history
        self._clock = clock
        self._due: dict[int, float] = {}
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._changed = asyncio.Event()

    def load(self, groups: Sequence[RuleGroup]) -> None:
        """Take these groups up. One that is unchanged keeps its state; of a changed one, rules that are unchanged do."""
        before = {(state.group.file, state.group.name): state for state in self.groups}
        self.groups = [self._taken_up(group, before.get((group.file, group.name))) for group in groups]
        self.revision += 1
        for state in self.groups:
            self._next(state, self._clock())
        self._changed.set()

    def _taken_up(self, group: RuleGroup, before: GroupState | None) -> GroupState:
        if before is not None and before.group == group:
            return before
        kept = {state.rule: state for state in before.rules} if before else {}
        rules = [kept.pop(rule) if rule in kept else RuleState(rule) for rule in group.rules]
        ended = [sample for state in kept.values() for sample in state.fail()]
        if ended:
            self._write(ended, round(self._clock() * 1000))
        return GroupState(group, rules, restored=before is not None)

    async def run(self) -> None:
        """Judge each group at its times."""
        while True:
            self._changed.clear()
            now = self._clock()
            due = [state for state in self.groups if self._next(state, now) <= now]
            if due:
                await asyncio.gather(*(self._turn(state) for state in due))
                continue
            wait = min((self._next(state, now) - now for state in self.groups), default=DEFAULT_INTERVAL)
            with contextlib.suppress(TimeoutError):
                # Never longer than a second, whatever the clock does meanwhile.
                await asyncio.wait_for(self._changed.wait(), max(0.01, min(wait, 1.0)) if self.groups else None)

    def _next(self, state: GroupState, now: float) -> float:
        """When the group is due; a step of the clock backwards sets it anew."""
        due = self._due.get(id(state))
        if due is None or due - now > state.interval:
            due = self._due[id(state)] = _after(now, state.interval, state.offset)
        return due

    async def _turn(self, state: GroupState) -> None:
        due = self._due[id(state)]
        async with self._at_once:
            await self.judge(state, round(due * 1000))
        now = self._clock()
        following = _after(max(now, due), state.interval, state.offset)
        state.missed += max(0, round((following - due) / state.interval) - 1)
        self._due[id(state)] = following
        self._due = {id(held): self._due[id(held)] for held in self.groups if id(held) in self._due}

    async def judge(self, state: GroupState, now: int) -> None:
        """All rules of a group, as of `now` (ms)."""
        began = time.perf_counter()
        at = now - round(state.group.query_offset * 1000)
        for rule in state.rules:
            await self._judge_rule(state, rule, at, now)
        if not state.restored:
            state.restored = True
            await self._restore(state, now)
        state.took, state.judged_at = time.perf_counter() - began, now / 1000

    async def _judge_rule(self, state: GroupState, rule: RuleState, at: int, now: int) -> None:
        began = time.perf_counter()
        before = (rule.error, rule.state, len(rule.alerts))
        try:
            answer = await self._instant(rule.rule.expr, at)
            samples, error = await self._judged(rule, answer, at, state.group.limit), ""
        except (QueryError, RuleFailedError) as problem:
            samples, error = rule.fail(), str(problem)[:_MAX_ERROR]
            self.failures += 1
        if error and error != rule.error:
            log.warning("%s, line %d: %s: %s", state.group.file, rule.rule.line, rule.rule.name, error)
        rule.error, rule.judged_at, rule.took = error, now, time.perf_counter() - began
        if before != (error, rule.state, len(rule.alerts)):
            self.revision += 1
        if samples:
            self._write(samples, at)

    async def _judged(self, rule: RuleState, answer: Answer, at: int, limit: int) -> list[Sample]:
        """What the rule makes of an answer; what its templates ask is asked."""
        answers = Answers()
        while True:
            try:
                return rule.judge(answer, at, limit, self.around, answers)
            except UnansweredError:
                for query in answers.taken():
                    try:
                        answers.known[query] = await self._instant(query, at)
                    except QueryError as error:
                        answers.known[query] = failed(error)

    async def _restore(self, state: GroupState, now: int) -> None:
        """The first judgement after a start: what was pending goes on being so from where it was."""
        waiting = [rule for rule in state.rules if rule.rule.for_seconds and rule.alerts]
        if not waiting or self._history is None:
            return
        told = await asyncio.to_thread(_last_told, self._history, [rule.rule.alert for rule in waiting], now)
        for rule in waiting:
            rule.restore(told, now, GRACE)

    def told(self) -> tuple[GroupRule, ...]:
        """All rules and how they fare, for the stream."""
        return tuple(
            GroupRule(
                state.group.file,
                rule.rule.line,
                state.group.name,
                rule.rule.name,
                rule.rule.expr,
                bool(rule.rule.alert),
                rule.rule.for_seconds,
                rule.state,
                sum(alert.state != "inactive" for alert in rule.alerts.values()),
                rule.error,
            )
            for state in self.groups
            for rule in state.rules
        )

    def figures(self) -> dict[str, float]:
        return {
            "rule_groups": len(self.groups),
            "rule_group_failures_total": self.failures,
            "rule_group_missed_total": sum(state.missed for state in self.groups),
        }

    def notes(self) -> list[str]:
        """One sentence a rule that fails."""
        return [
            f"{state.group.file}, line {rule.rule.line}: {rule.rule.name} fails: {rule.error}"
            for state in self.groups
            for rule in state.rules
            if rule.error
        ][:20]


def _last_told(history: History, names: Sequence[str], now: int) -> dict[Labels, tuple[float, int]]:
    """By the alert's labels: since when it was active (s), and when that was last said before the outage (ms)."""
    told: dict[Labels, tuple[float, int]] = {}
    for name in names:
        wanted = (Matcher("__name__", "=", "ALERTS_FOR_STATE"), Matcher("alertname", "=", name))
        for block in history.select(wanted, now - OUTAGE_TOLERANCE, now - 1, Hints()).blocks:
            stale = stale_at(block.values)
            for place, labels in enumerate(block.labels):
                there = ~stale[place] if block.present is None else block.present[place] & ~stale[place]
                if there.any():
                    last = int(there.nonzero()[0][-1])
                    plain = tuple(pair for pair in labels if pair[0] != "__name__")
                    told[plain] = (float(block.values[place, last]), int(block.times[last]))
    return told


def _after(now: float, interval: float, offset: float) -> float:
    """The first moment after `now` that lies `offset` into an interval."""
    return ((now - offset) // interval + 1) * interval + offset
