"""Which field of a window a rule judges, and how it is called in a sentence."""

from __future__ import annotations

from monitor.model.series import Kind
from monitor.windows.frame import PRIMARY, quantile_of

DEFAULT_FIELD = "value"
COUNTED = frozenset({"sum", "count", "rate", "per_minute"})
"""Fields of a counter that are 0, not missing, when nothing was counted."""

_WORDS = {
    "last": "the last value of",
    "count": "the number of values of",
    "sum": "the sum of",
    "min": "the lowest value of",
    "max": "the highest value of",
    "mean": "the mean of",
    "rate": "the rate per second of",
    "per_minute": "the rate per minute of",
    "unique": "the number of different members of",
    "age": "the seconds since the last value of",
}
WITHOUT_WINDOW = frozenset({"last", "age"})
"""Fields that speak of one moment, so that a sentence leaves the window out."""


def judged_field(field: str, kind: Kind) -> str:
    """The engine's field for a condition's field.

    `value`, also meant when a rule names no field, is a counter's sum over the window ("more than 100 errors in 5 minutes")
    and otherwise the kind's own field: a gauge's last value, a distribution's p99, a set's unique count.
    """
    if field != DEFAULT_FIELD:
        return field
    return "sum" if kind is Kind.COUNTER else PRIMARY[kind]


def field_words(field: str) -> str:
    """`sum` is "the sum of", `p99` "the 99th percentile of"; "" for `value`, whose meaning depends on the series."""
    if quantile_of(field) is not None:
        return f"the {_ordinal(field[1:])} percentile of"
    return _WORDS.get(field, "")


def _ordinal(number: str) -> str:
    if "." in number or number[-2:] in ("11", "12", "13"):
        return f"{number}th"
    return number + {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
