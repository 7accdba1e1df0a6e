"""Which series carry which label: sets of numbers by label name and value."""

from __future__ import annotations

from collections.abc import Sequence, Set

from monitor.model.matchers import NAME_TAG, Matcher, promql_name
from monitor.query.history import Labels


class LabelIndex:
    """Finds series by matchers. A name is found as sent and in its PromQL spelling; what `!=` and `!~` leave out is exactly what
    `=` and `=~` find.
    """

    def __init__(self) -> None:
        self._all: set[int] = set()
        self._values: dict[str, dict[str, set[int]]] = {}
        self._spelled: dict[str, str] = {}

    def add(self, number: int, labels: Labels) -> None:
        """A series' labels. Its number must be new."""
        for name, value in labels:
            self._values.setdefault(name, {}).setdefault(value, set()).add(number)
            if name == NAME_TAG and value not in self._spelled:
                self._spelled[value] = promql_name(value)
        self._all.add(number)

    def remove(self, number: int, labels: Labels) -> None:
        """Forgets a series, and labels that no series carries any more."""
        self._all.discard(number)
        for name, value in labels:
            values = self._values[name]
            values[value].discard(number)
            if not values[value]:
                del values[value]
                if name == NAME_TAG:
                    self._spelled.pop(value, None)
                if not values:
                    del self._values[name]

    def values(self, name: str) -> Set[str]:
        """All values of a label."""
        return set(self._values.get(name, ()))

    def find(self, matchers: Sequence[Matcher]) -> set[int]:
        """Numbers of the series that meet all matchers."""
        found: set[int] | None = None
        for matcher in matchers:
            met = self._meeting(matcher)
            found = met if found is None else found & met
            if not found:
                return set()
        return set(self._all) if found is None else found

    def _meeting(self, matcher: Matcher) -> set[int]:
        values = self._values.get(matcher.name, {})
        if matcher.op == "=" and matcher.value and matcher.name != NAME_TAG:
            return set(values.get(matcher.value, ()))
        if matcher.test(""):  # an absent label counts as "": whoever lacks it meets the matcher too
            failing = [numbers for value, numbers in list(values.items()) if not self._holds(matcher, value)]
            return self._all.difference(*failing)
        return set().union(*(numbers for value, numbers in list(values.items()) if self._holds(matcher, value)))

    def _holds(self, matcher: Matcher, value: str) -> bool:
        if matcher.name != NAME_TAG:
            return matcher.test(value)
        spelled = self._spelled.get(value, value)
        if matcher.op in ("=", "=~"):
            return matcher.test(value) or (spelled != value and matcher.test(spelled))
        return matcher.test(value) and (spelled == value or matcher.test(spelled))
