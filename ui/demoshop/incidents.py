"""What goes wrong and when: four troubles in turn, each of which begins, hurts and ends by itself."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from ui.demoshop import rhythm
from ui.demoshop.happened import Event

DATABASE, PROVIDER, LEAK, SURGE = "slow database", "failing payment provider", "leaking memory", "traffic surge"
FIRST = 70.0
"""Seconds after the beginning at which the first incident begins, at the earliest."""
EVERY = 240.0
"""Seconds from one incident to the next."""
LONGEST_DELAY = 20.0
LASTS = {DATABASE: 140.0, PROVIDER: 120.0, LEAK: 168.0, SURGE: 130.0}
RAMPS = {DATABASE: 8.0, PROVIDER: 6.0, LEAK: 0.1, SURGE: 15.0}
"""Seconds in which a trouble comes and goes."""
FILLS_IN = 56.0
"""Seconds after which the leak has taken all there is, and the process ends."""
RESTARTS_IN = 7.0
SURGES_TO = 2.9
"""Load at noon in a surge; at night it is less by what the night has less."""
BAD_RELEASE = {DATABASE: ("orders", "2.14.0"), LEAK: ("recommendations", "3.8.0")}
DEPLOYED_BEFORE = 12.0
"""Seconds between the release that brings a trouble and the trouble."""
ROUTINE_EVERY, ROUTINE_FIRST = 170.0, 3.0
_ROUTINE = (("web", "5.3"), ("catalog", "4.8"), ("cart", "1.19"), ("users", "7.2"), ("inventory", "2.3"), ("search", "2.10"))


@dataclass(frozen=True, slots=True)
class Incident:
    """One trouble. Times are seconds after the beginning."""

    kind: str
    starts: float
    ends: float

    def level(self, elapsed: float) -> float:
        """0 (nothing) to 1 (at its worst)."""
        ramp = RAMPS[self.kind]
        return max(0.0, min(1.0, (elapsed - self.starts) / ramp, (self.ends + ramp - elapsed) / ramp))


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the shop is at a moment. `load`: traffic, 1 is the usual. `database`, `provider`: how ill they are, 0 to 1; `leak`: how
    much of its memory is lost, 0 to 1; `restarting`: recommendations answer nobody; `releases`: versions other than the usual.
    """

    elapsed: float = 0.0
    load: float = 1.0
    database: float = 0.0
    provider: float = 0.0
    leak: float = 0.0
    restarting: bool = False
    releases: Mapping[str, str] = field(default_factory=dict)


class Schedule:
    """The incidents of a seed: the same at each call, whatever was asked before."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        later = [PROVIDER, LEAK, SURGE]
        random.Random(f"{seed} order").shuffle(later)
        self._order = (DATABASE, *later)  # the first shows most: a release, slow traces, timeouts, the way back

    def incident(self, number: int) -> Incident:
        """The one of a number; 0 is the first."""
        kind = self._order[number % len(self._order)]
        delay = random.Random(f"{self._seed} delay {number}").uniform(0.0, LONGEST_DELAY)
        starts = FIRST + number * EVERY + delay
        return Incident(kind, starts, starts + LASTS[kind])

    def near(self, elapsed: float) -> list[Incident]:
        """Those that may tell anything at this time."""
        number = int((elapsed - FIRST) // EVERY)
        return [self.incident(each) for each in range(max(0, number - 1), number + 2)]

    def at(self, elapsed: float) -> Conditions:
        """How things stand so many seconds after the beginning."""
        load, levels = rhythm.load(elapsed), dict.fromkeys(LASTS, 0.0)
        latest = int((elapsed - ROUTINE_FIRST) // ROUTINE_EVERY)
        releases = dict(self._release(each) for each in range(max(0, latest - len(_ROUTINE) + 1), latest + 1))
        leak, restarting = 0.0, False
        for one in self.near(elapsed):
            levels[one.kind] = max(levels[one.kind], one.level(elapsed))
            if one.kind in BAD_RELEASE and one.starts - DEPLOYED_BEFORE <= elapsed < one.ends:
                releases.update((BAD_RELEASE[one.kind],))
            if one.kind == LEAK and one.starts <= elapsed < one.ends:
                since = (elapsed - one.starts) % FILLS_IN
                restarting = elapsed - one.starts >= FILLS_IN and since < RESTARTS_IN
                leak = 0.0 if restarting else since / FILLS_IN
        load += (SURGES_TO - 1.0) * levels[SURGE]
        return Conditions(elapsed, load, levels[DATABASE], levels[PROVIDER], leak, restarting, releases)

    def events(self, after: float, until: float, began: float) -> list[Event]:
        """What people and machines tell between two times (seconds after `began`, the first excluded), in order."""
        told = [entry for one in self.near(until) for entry in _story(one)]
        told += [self._routine(number) for number in range(int(until // ROUTINE_EVERY) + 1)[-2:]]
        return [
            Event(began + at, kind, text, {"service": service} if service else {})
            for at, kind, text, service in sorted(told)
            if after < at <= until
        ]

    def _routine(self, number: int) -> tuple[float, str, str, str]:
        """A release that changes nothing."""
        service, version = self._release(number)
        return number * ROUTINE_EVERY + ROUTINE_FIRST, "deploy", f"{service} {version} deployed", service

    def _release(self, number: int) -> tuple[str, str]:
        service, version = _ROUTINE[(number + self._seed) % len(_ROUTINE)]
        return service, f"{version}.{number // len(_ROUTINE)}"


def _story(one: Incident) -> list[tuple[float, str, str, str]]:
    """Time, kind, text and service of what is told about an incident."""
    starts, ends = one.starts, one.ends
    if one.kind == DATABASE:
        return [
            (starts - DEPLOYED_BEFORE, "deploy", "orders 2.14.0 deployed: order history", "orders"),
            (starts + 45, "incident", "Checkout is slow: people are looking at it", "checkout"),
            (ends, "deploy", "orders rolled back to 2.13.4: an index was missing", "orders"),
        ]
    if one.kind == PROVIDER:
        return [
            (starts + 25, "incident", "Paypoint: raised error rates for card payments", "payments"),
            (ends, "incident", "Paypoint: card payments work again", "payments"),
        ]
    if one.kind == LEAK:
        again = range(1, int(LASTS[LEAK] / FILLS_IN) + 1)
        killed = [starts + FILLS_IN * each for each in again if FILLS_IN * each < LASTS[LEAK]]
        return [
            (starts - DEPLOYED_BEFORE, "deploy", "recommendations 3.8.0 deployed: new model", "recommendations"),
            *((at, "event", "recommendations killed: out of memory", "recommendations") for at in killed),
            (ends, "deploy", "recommendations rolled back to 3.7.2: the cache had no bound", "recommendations"),
        ]
    return [
        (starts, "event", "Newsletter sent to 180,000 customers", "mailer"),
        (starts + 60, "change", "search: one replica more", "search"),
    ]
