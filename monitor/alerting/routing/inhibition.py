"""Inhibition: while one alert fires, others that follow from it are not told.

Source: Alertmanager, inhibit/inhibit.go: a label that is missing equals an empty one, and an alert that meets both sides of a
rule is not inhibited by another that does too (so that nothing inhibits itself).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.model.matchers import Matcher

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert meets `source`, those that meet `target` and have the same values of the labels `equal` are quiet."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()
    name: str = ""


class Inhibitor:
    """Which alerts are held back by which. `put` and `drop` tell it what fires; a question costs no search over alerts."""

    def __init__(self, rules: Iterable[Inhibition]) -> None:
        self.rules = tuple(rules)
        # A rule's sources by the values of its equal labels; of each, whether it meets the target too.
        self._sources: tuple[dict[tuple[str, ...], dict[str, bool]], ...] = tuple({} for _ in self.rules)
        self._places: dict[str, list[tuple[int, tuple[str, ...]]]] = {}

    def put(self, alert: str, labels: Labels) -> None:
        """The alert (by id) fires."""
        if alert in self._places:
            return
        places = []
        for number, rule in enumerate(self.rules):
            if _meets(rule.source, labels):
                values = _values(rule, labels)
                self._sources[number].setdefault(values, {})[alert] = _meets(rule.target, labels)
                places.append((number, values))
        if places:
            self._places[alert] = places

    def drop(self, alert: str) -> None:
        """The alert fires no more."""
        for number, values in self._places.pop(alert, ()):
            sources = self._sources[number][values]
            del sources[alert]
            if not sources:
                del self._sources[number][values]

    def holds_back(self, labels: Labels) -> tuple[str, ...]:
        """Ids of the firing alerts because of which one with these labels is quiet, one a rule; empty when it is not."""
        found = []
        for number, rule in enumerate(self.rules):
            if not _meets(rule.target, labels):
                continue
            both = _meets(rule.source, labels)
            for source, meets_target in self._sources[number].get(_values(rule, labels), {}).items():
                if not (both and meets_target):
                    found.append(source)
                    break
        return tuple(dict.fromkeys(found))


def _meets(matchers: tuple[Matcher, ...], labels: Labels) -> bool:
    return all(matcher.test(labels.get(matcher.name, "")) for matcher in matchers)


def _values(rule: Inhibition, labels: Labels) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in rule.equal)
