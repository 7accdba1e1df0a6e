"""How noisy each rule was: what fired, what somebody acted on, and what might be changed. Nothing is changed by itself."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from monitor.alerting.durations import format_duration
from monitor.alerting.model import Event, Rule

WEEK = 7 * 86_400.0
AFTERWARDS = 3600.0
"""Seconds after its end within which a note on an alert still counts as acting on it."""
_WAITS = (10.0, 30.0, 60.0, 120.0, 180.0, 240.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0)
_LEAST_REMOVED, _LEAST_SHARE = 5, 0.25
_MANY = 10
_OFTEN_SILENCED = 3
_ACTS = frozenset(("acknowledged", "note", "assigned"))


class RuleNoise(msgspec.Struct, frozen=True):
    """One rule over a stretch of time: `fired` = `acted` (acknowledged, silenced, assigned or noted) + `ignored`.

    `flapped`: how often it began to flap. `median`: seconds that a firing lasted, None where none has ended.
    `suggestions`: sentences, for a person to decide on.
    """

    rule: str
    fired: int
    acted: int
    ignored: int
    flapped: int
    median: float | None
    suggestions: tuple[str, ...] = ()


@dataclass(slots=True)
class _Firing:
    begun: float
    ended: float | None = None
    acted: bool = False

    @property
    def lasted(self) -> float | None:
        return None if self.ended is None else self.ended - self.begun


def noise(events: Iterable[Event], rules: Mapping[str, Rule], start: float, end: float) -> tuple[RuleNoise, ...]:
    """Rules that fired in [start, end], those with the most that nobody acted on first. `events`: oldest first."""
    firings: dict[str, list[_Firing]] = {}
    last: dict[str, _Firing] = {}
    going: dict[str, dict[str, _Firing]] = {}
    flapped: dict[str, int] = {}
    silenced: dict[str, int] = {}
    for event in events:
        if not start <= event.at <= end:
            continue
        if event.kind == "firing":
            last[event.alert] = _Firing(event.at)
            firings.setdefault(event.rule, []).append(last[event.alert])
            going.setdefault(event.rule, {})[event.alert] = last[event.alert]
        elif event.kind == "resolved":
            ended = going.get(event.rule, {}).pop(event.alert, None)
            if ended is not None:
                ended.ended = event.at
        elif event.kind in _ACTS and event.who:
            firing = last.get(event.alert)
            if firing is not None and (firing.ended is None or event.at - firing.ended <= AFTERWARDS):
                firing.acted = True
        elif event.kind == "flapping":
            flapped[event.rule] = flapped.get(event.rule, 0) + 1
        elif event.kind == "silenced" and event.who:
            for rule in {value for name, value in event.tags if name == "rule"}:
                silenced[rule] = silenced.get(rule, 0) + 1
                for firing in going.get(rule, {}).values():
                    firing.acted = True
    found = [_of_rule(name, each, flapped.get(name, 0), silenced.get(name, 0), rules.get(name)) for name, each in firings.items()]
    return tuple(sorted(found, key=lambda one: (-one.ignored, -one.fired, one.rule)))


def _of_rule(name: str, firings: Sequence[_Firing], flapped: int, silenced: int, rule: Rule | None) -> RuleNoise:
    acted = sum(firing.acted for firing in firings)
    lasted = [firing.lasted for firing in firings if firing.lasted is not None]
    suggestions = tuple(_suggestions(firings, acted, flapped, silenced, rule)) if rule is not None else ()
    median = statistics.median(lasted) if lasted else None
    return RuleNoise(name, len(firings), acted, len(firings) - acted, flapped, median, suggestions)


def _suggestions(firings: Sequence[_Firing], acted: int, flapped: int, silenced: int, rule: Rule) -> Iterable[str]:
    wait = _longer_wait(firings, rule.for_seconds)
    if wait is not None:
        seconds, removed = wait
        text = f"raise `for` to {format_duration(seconds)}: {removed} of {len(firings)} would not have fired"
        yield f"{text}, none that was acted on" if acted else text
    if not acted and len(firings) >= _MANY:
        yield f"nobody acted on any of {len(firings)} firings: should anybody be told of it?"
    if flapped:
        times = "once" if flapped == 1 else f"{flapped} times"
        yield f"it flapped {times}: give the condition a `recovery` value, or a longer window"
    if silenced >= _OFTEN_SILENCED:
        yield f"it was silenced {silenced} times: a maintenance window (`lightship silence --times`) does that by itself"


def _longer_wait(firings: Sequence[_Firing], present: float) -> tuple[float, int] | None:
    """The shortest `for` (seconds) that would have kept the most firings back and none that was acted on; how many those are."""
    best: tuple[float, int] | None = None
    for seconds in (wait for wait in _WAITS if wait > present):
        kept_back = [one for one in firings if one.lasted is not None and one.lasted < seconds - present]
        if any(one.acted for one in kept_back):
            break
        if best is None or len(kept_back) > best[1]:
            best = seconds, len(kept_back)
    if best is None or best[1] < _LEAST_REMOVED or best[1] < _LEAST_SHARE * len(firings):
        return None
    return best
