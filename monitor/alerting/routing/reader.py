"""From the settings [[receiver]], [[route]], [[inhibit]] and [[times]] to routes, with every mistake said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from monitor.alerting.durations import DurationError, parse_duration
from monitor.alerting.routing.inhibition import Inhibition
from monitor.alerting.routing.times import TimeInterval, TimeIntervalError, read_interval
from monitor.alerting.routing.tree import ALL, Route, Timing
from monitor.model.matchers import Matcher, SelectorError, parse_matchers

MAX_ROUTES = 1_000
MAX_DEPTH = 20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .:-]{0,63}")
Table = Mapping[str, Any]


class RoutingError(ValueError):
    """Settings that make no sense together; the message says which and what to write."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Who is told. `root` None: nobody by routes, rules name their actions themselves."""

    root: Route | None = None
    inhibitions: tuple[Inhibition, ...] = ()
    times: Mapping[str, TimeInterval] = field(default_factory=dict)
    silent_ends: frozenset[str] = frozenset()
    """Receivers that do not want to hear of ends."""

    def quiet_times(self, now: float) -> frozenset[str]:
        """Names of the time intervals that hold."""
        return frozenset(name for name, interval in self.times.items() if interval.holds(now))


def read_routing(tables: Mapping[str, Sequence[Table]]) -> Routing:
    """From the checked tables of the settings. Raises `RoutingError`."""
    receivers = _receivers(tables.get("receiver", ()))
    times = {name: _interval(name, table) for name, table in _named(tables.get("times", ()), "times").items()}
    inhibitions = tuple(_inhibition(number, table) for number, table in enumerate(tables.get("inhibit", ()), 1))
    silent = frozenset(name for name, table in receivers.items() if not table.get("send_resolved", True))
    return Routing(_tree(tables.get("route", ()), receivers, times), inhibitions, times, silent)


def _receivers(tables: Sequence[Table]) -> dict[str, Table]:
    receivers = _named(tables, "receiver")
    for name in receivers:
        if not _NAME.fullmatch(name):
            raise RoutingError(f"[[receiver]] {name[:60]!r}: a name has letters, digits, blanks and _ . : - (at most 64)")
    return receivers


def _named(tables: Sequence[Table], kind: str) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for table in tables:
        name = table["name"]
        if name in found:
            raise RoutingError(f"[[{kind}]] {name!r} stands twice; give one of them another name")
        found[name] = table
    return found


def _interval(name: str, table: Table) -> TimeInterval:
    try:
        return read_interval({key: value for key, value in table.items() if key != "name" and value})
    except TimeIntervalError as error:
        raise RoutingError(f"[[times]] {name!r}: {error}") from None


def _inhibition(number: int, table: Table) -> Inhibition:
    where = f"[[inhibit]] {number}"
    rule = Inhibition(
        _matchers(table["source"], f"{where}: source"),
        _matchers(table["target"], f"{where}: target"),
        tuple(table.get("equal", ())),
        f"inhibit {number}",
    )
    if not rule.equal and set(rule.source) == set(rule.target):
        raise RoutingError(f"{where}: source and target are the same alerts, which would inhibit nothing; name others as target")
    return rule


def _matchers(text: str, what: str) -> tuple[Matcher, ...]:
    try:
        return parse_matchers(text)
    except SelectorError as error:
        raise RoutingError(f"{what}: {error}") from None


def _tree(tables: Sequence[Table], receivers: Mapping[str, Table], times: Mapping[str, TimeInterval]) -> Route | None:
    if not tables:
        return None
    if len(tables) > MAX_ROUTES:
        raise RoutingError(f"{len(tables)} routes (at most {MAX_ROUTES})")
    first = tables[0]
    if first.get("where") or first.get("under"):
        raise RoutingError("the first [[route]] takes every alert that no other takes; leave out its where and under")
    names: list[str] = []
    children: dict[str, list[int]] = {}
    for number, table in enumerate(tables):
        name = table.get("name") or ("root" if number == 0 else f"route {number + 1}")
        if name in names:
            raise RoutingError(f"[[route]] {name!r} stands twice; give one of them another name")
        under = table.get("under") or names[0] if number else ""
        if number and under not in names:
            raise RoutingError(f"[[route]] {name!r}: under names {under!r}, which is no route that stands before it")
        if number:
            children.setdefault(under, []).append(number)
        names.append(name)
    root = _Builder(tables, names, children, receivers, times).build(0, None, 0)
    if not root.receiver:
        raise RoutingError("the first [[route]] needs a receiver: it takes every alert that no other takes")
    return root


@dataclass(frozen=True, slots=True)
class _Builder:
    tables: Sequence[Table]
    names: Sequence[str]
    children: Mapping[str, Sequence[int]]
    receivers: Mapping[str, Table]
    times: Mapping[str, TimeInterval]

    def build(self, number: int, above: Route | None, depth: int) -> Route:
        table, name = self.tables[number], self.names[number]
        if depth > MAX_DEPTH:
            raise RoutingError(f"[[route]] {name!r} lies {depth} deep (at most {MAX_DEPTH})")
        receiver = table.get("receiver") or (above.receiver if above else "")
        if receiver and receiver not in self.receivers:
            known = ", ".join(sorted(self.receivers)) or "none"
            raise RoutingError(f"[[route]] {name!r}: there is no receiver {receiver!r}; known are {known}")
        for key in ("mute", "active"):
            strange = [each for each in table.get(key, ()) if each not in self.times]
            if strange:
                raise RoutingError(f"[[route]] {name!r}: {key} names {strange[0]!r}, of which there is no [[times]]")
        route = Route(
            name,
            receiver,
            _matchers(table["where"], f"[[route]] {name!r}: where") if table.get("where") else (),
            bool(table.get("continue")),
            _group_by(table, name, above),
            self._timing(table, name, above),
            tuple(table.get("mute", ())),
            tuple(table.get("active", ())),
        )
        below = tuple(self.build(child, route, depth + 1) for child in self.children.get(name, ()))
        return replace(route, routes=below)

    def _timing(self, table: Table, name: str, above: Route | None) -> Timing:
        inherited = above.timing if above else Timing()
        said = {
            key: _duration(table.get(key, ""), f"[[route]] {name!r}: {key}", getattr(inherited, key))
            for key in ("group_wait", "group_interval", "repeat_interval")
        }
        timing = Timing(**said)
        if timing.group_interval < 1:
            raise RoutingError(f"[[route]] {name!r}: group_interval is below a second")
        if timing.repeat_interval < timing.group_interval:
            raise RoutingError(f"[[route]] {name!r}: repeat_interval is below group_interval, and would never be kept")
        return timing


def _group_by(table: Table, name: str, above: Route | None) -> tuple[str, ...]:
    said = tuple(table.get("group_by", ()))
    if not said:
        return above.group_by if above else ALL
    for word in ("...", "none"):
        if word in said and len(said) > 1:
            raise RoutingError(f"[[route]] {name!r}: in group_by {word!r} stands alone")
    return () if said == ("none",) else said


def _duration(text: str, what: str, default: float) -> float:
    if not text:
        return default
    try:
        return parse_duration(text)
    except DurationError as error:
        raise RoutingError(f"{what}: {error}") from None
