"""One query under way: the history it asks, the times it is evaluated at, what it may read and what it has read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from monitor.model.matchers import Matcher
from monitor.query.ast import Expr
from monitor.query.history import Hints, History, Millis, QueryError, Selected, TooManySamplesError, Values
from monitor.query.notes import Notes
from monitor.query.vectors import Vector


class BadQueryError(QueryError):
    """A query that is wrong as it stands, whatever the history has."""

    kind = "bad_data"


Value = Vector | Values | str
"""What an expression gives: a vector, a scalar at every time (float64 [N]) or a string."""


class Limits(msgspec.Struct, frozen=True):
    """`max_samples`: what a query may read or hold; `max_points`: of one series in an answer. Milliseconds: `lookback` of an
    instant selector, `subquery_step` of a subquery that names none.
    """

    max_samples: int = 50_000_000
    max_points: int = 11_000
    lookback: int = 300_000
    subquery_step: int = 60_000


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The times an expression is evaluated at, int64 [N], and the milliseconds between them (0 where there is one only)."""

    times: Millis
    step: int = 0

    def __len__(self) -> int:
        return len(self.times)

    def first(self) -> Frame:
        """Only the first time."""
        return Frame(self.times[:1])


@dataclass(slots=True, eq=False)
class Run:
    """`evaluate` evaluates a part of the expression at some times; `check` is called between operations and may raise.
    `statistics`: ids of the selectors that `found_resets` speaks of; `functions`: by id, the function directly round a selector;
    `repeated`: matchers of the selectors that stand more than once in the expression.
    """

    history: History
    limits: Limits
    notes: Notes
    evaluate: Callable[[Expr, Frame], Value]
    check: Callable[[], None]
    step: int = 0
    statistics: frozenset[int] = frozenset()
    functions: dict[int, str] = field(default_factory=dict)
    repeated: frozenset[tuple[Matcher, ...]] = frozenset()
    samples: int = 0
    resolution: int = 0
    _selected: dict[tuple[object, ...], Selected] = field(default_factory=dict)
    _said: dict[str, list[str]] = field(default_factory=lambda: {"warnings": [], "infos": []})

    def vector(self, expr: Expr, frame: Frame) -> Vector:
        found = self.evaluate(expr, frame)
        if not isinstance(found, Vector):
            raise QueryError(f"an instant vector was expected, not a {'string' if isinstance(found, str) else 'scalar'}")
        return found

    def scalar(self, expr: Expr, frame: Frame) -> Values:
        """float64 [N]."""
        found = self.evaluate(expr, frame)
        if not isinstance(found, np.ndarray):
            raise QueryError("a scalar was expected")
        return found

    def select(self, matchers: Sequence[Matcher], start: int, end: int, hints: Hints) -> Selected:
        """What the history has; what is asked again is read once. Raises `TooManySamplesError` past the limit."""
        self.check()
        question = (*matchers, start, end, hints)
        if question in self._selected:
            return self._selected[question]
        selected = self.history.select(matchers, start, end, hints)
        if tuple(matchers) in self.repeated:
            self._selected[question] = selected
        self.samples += sum(len(block.labels) * len(block.times) for block in selected.blocks)
        self.bound(self.samples)
        self.resolution = max(self.resolution, selected.resolution)
        for kind, said in (("warnings", selected.warnings), ("infos", selected.infos)):
            self._said[kind] += [words for words in said if words not in self._said[kind]]
        return selected

    def tell_sparse(self, resolution: int, window: int) -> None:
        """Says that windows are too short for what is kept, where a range has fewer than two samples for that reason."""
        if resolution * 2 > window:
            words = (
                f"samples are kept {_duration(resolution)} apart here: a range of {_duration(window)} has fewer than two of them"
            )
            if words not in self._said["infos"]:
                self._said["infos"].append(words)

    def bound(self, samples: int) -> None:
        """Raises `TooManySamplesError` where so many samples are more than the query may read or hold."""
        limit = self.limits.max_samples
        if samples <= limit:
            return
        advice = "Shorten the range or select fewer series."
        if self.step:
            advice = f"Shorten the range or raise the step to {_duration(_coarser(self.step, samples / limit))}."
        raise TooManySamplesError(f"This would read {_millions(samples)} samples (limit {_millions(limit)}). {advice}")

    @property
    def warnings(self) -> tuple[str, ...]:
        return (*self._said["warnings"], *self.notes.warnings)

    @property
    def infos(self) -> tuple[str, ...]:
        kept = (f"answered from {_duration(self.resolution)} resolution",) if self.resolution else ()
        return (*self._said["infos"], *kept, *self.notes.infos)


_NICE_STEPS = (1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400)


def _coarser(step: int, factor: float) -> int:
    """The next usual step, in milliseconds, that makes a query that much smaller."""
    wanted = step * factor
    return next((1000 * nice for nice in _NICE_STEPS if 1000 * nice >= wanted), round(wanted))


def _millions(samples: int) -> str:
    if samples >= 10_000_000:
        return f"{samples / 1e6:.0f} M"
    return f"{samples / 1e6:.1f} M" if samples >= 1_000_000 else str(samples)


def _duration(millis: int) -> str:
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if millis >= size and millis % size == 0:
            return f"{millis // size} {unit}"
    return f"{millis} ms"
