"""The routing tree: which receivers an alert goes to, and how it is grouped there.

Source: Alertmanager, docs/configuration.md (route) and dispatch/route.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from monitor.model.matchers import Matcher

ALL = ("...",)
"""`group_by` of all labels: every alert is a group of its own."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: from a group's first alert to its first notice, between notices of news, and until one is repeated."""

    group_wait: float = 30.0
    group_interval: float = 300.0
    repeat_interval: float = 14_400.0


@dataclass(frozen=True, slots=True)
class Route:
    """One node. `name` is unique in its tree (it is part of what is kept over a restart).

    An alert that meets all `matchers` goes into the first of `routes` that takes it, and with `go_on` into the following ones
    too; where none takes it, it is this node's. `mute`, `active`: names of time intervals in which nobody is told, or only
    in which.
    """

    name: str
    receiver: str
    matchers: tuple[Matcher, ...] = ()
    go_on: bool = False
    group_by: tuple[str, ...] = ()
    timing: Timing = Timing()
    mute: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether all matchers hold; a label that is absent counts as ""."""
        return all(matcher.test(labels.get(matcher.name, "")) for matcher in self.matchers)

    def find(self, labels: Mapping[str, str]) -> tuple[Route, ...]:
        """The nodes an alert with these labels belongs to, in order; none when this node does not take it."""
        if not self.takes(labels):
            return ()
        found: list[Route] = []
        for route in self.routes:
            taken = route.find(labels)
            found += taken
            if taken and not route.go_on:
                break
        return tuple(found) or (self,)

    def group_of(self, labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """The sorted labels by which an alert is grouped here; one that it lacks is left out."""
        names = labels if self.group_by == ALL else self.group_by
        return tuple(sorted((name, labels[name]) for name in names if name in labels))

    def walk(self) -> Iterator[Route]:
        """This node and all below it."""
        yield self
        for route in self.routes:
            yield from route.walk()
