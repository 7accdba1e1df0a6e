"""Finding and hiding nodes: the filter grammar of every list, with `!word` for what is hidden and comparisons of figures.

`service:api`, `!redis`, `kind:database`, `health:critical`, `calls:orders-db`, `calledby:edge`, `errors>1%`, `p99>=500ms`.
"""

from __future__ import annotations

import functools
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ui.views import filter as filters
from ui.views.filter import MAX_FILTER, MAX_TERMS, Filter, FilterError

KEYS = ("service", "name", "kind", "type", "health", "state", "calls", "calledby")
FIGURES = ("rate", "errors", "p50", "p95", "p99")
EXAMPLES = "service:api  !redis  kind:database  errors>1%  p99>500ms"
GRAMMAR = (
    ("checkout", "a word in a name, a kind or a state"),
    ("!redis", "hides what has it"),
    ("service:api", "likewise kind:database, health:ok"),
    ("calls:orders-db", "who calls it; also calledby:edge"),
    ("errors>1%", "also rate, p50, p95, p99 with > >= < <="),
    ("p99>1s !redis", "terms side by side must all hold"),
)
"""What may be written: an example and what it does."""
_COMPARISON = re.compile(r"(?P<figure>[a-z]\w*)(?P<op>>=|<=|>|<)(?P<number>[0-9.]*)(?P<unit>\S*)", re.IGNORECASE)
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_UNITS = {
    "rate": {"": 1.0, "/s": 1.0, "/min": 1 / 60},
    "errors": {"": 1.0, "%": 0.01},
    "seconds": {"": 1.0, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0},
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure against a bound, in requests a second, a share 0..1 or seconds. What is not known passes no comparison."""

    figure: str
    op: str
    bound: float

    def holds(self, figures: Mapping[str, float]) -> bool:
        return _OPERATORS[self.op](figures.get(self.figure, math.nan), self.bound)


@dataclass(frozen=True, slots=True)
class NodeFilter:
    """All terms must hold; none at all lets everybody pass."""

    terms: Filter
    comparisons: tuple[Comparison, ...]

    def __bool__(self) -> bool:
        return bool(self.terms or self.comparisons)

    def matches(self, haystack: str, lookup: filters.Lookup, figures: Mapping[str, float]) -> bool:
        """`haystack` is all text in lower case; `lookup` gives the value of a key or None; `figures` those of `FIGURES`."""
        return self.terms.matches(haystack, lookup) and all(c.holds(figures) for c in self.comparisons)


EVERYBODY = NodeFilter(Filter(), ())


@functools.lru_cache(maxsize=128)
def parse(text: str) -> NodeFilter:
    """Reads a filter of nodes. Raises `FilterError` with the column of what is in the way."""
    if len(text) > MAX_FILTER:
        raise FilterError(f"the filter has {len(text)} characters (at most {MAX_FILTER})", MAX_FILTER + 1)
    comparisons: list[Comparison] = []
    rest = list(text)
    for word in re.finditer(r"\S+", text):
        start, end = word.span()
        if _quoted(text, start):
            continue
        found = _COMPARISON.fullmatch(word[0])
        if found is not None:
            comparisons.append(_comparison(found, start + 1))
            rest[start:end] = " " * (end - start)
        elif word[0][0] == "!":
            rest[start] = "-"
    if len(comparisons) > MAX_TERMS:
        raise FilterError(f"more than {MAX_TERMS} comparisons", 1)
    terms = filters.parse("".join(rest))
    for term in terms.keyed:
        if term.key not in KEYS:
            column = text.find(term.key) + 1
            raise FilterError(f"{term.key} is no key ({', '.join(KEYS)})", column)
    return NodeFilter(terms, tuple(comparisons))


def _quoted(text: str, at: int) -> bool:
    return text.count('"', 0, at) % 2 == 1 or text.count("'", 0, at) % 2 == 1


def _comparison(found: re.Match[str], column: int) -> Comparison:
    figure, unit = found["figure"].lower(), found["unit"].lower()
    if figure not in FIGURES:
        raise FilterError(f"{figure} is no figure ({', '.join(FIGURES)})", column)
    units = _UNITS["seconds" if figure.startswith("p") else figure]
    try:
        number = float(found["number"])
    except ValueError:
        raise FilterError(f"a number after {figure}{found['op']} is missing", column + found.start("number")) from None
    if unit not in units:
        known = ", ".join(u for u in units if u)
        raise FilterError(f"{unit} is no unit of {figure} ({known})", column + found.start("unit")) from None
    return Comparison(figure, found["op"], number * units[unit])


def attempt(text: str, last: NodeFilter) -> tuple[NodeFilter, str]:
    """The filter and "", or the last good one and what is wrong, so that the map does not jump while a term is typed."""
    try:
        return parse(text), ""
    except FilterError as error:
        return last, str(error)
