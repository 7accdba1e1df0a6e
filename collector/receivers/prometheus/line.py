"""One sample line of text format 0.0.4 or OpenMetrics 1.0, taken apart by its grammar."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits, LimitError

Labels = tuple[tuple[str, str], ...]

MAX_EXEMPLAR = 128
"""Characters of all names and values of an exemplar's label set (OpenMetrics 1.0, "Exemplars")."""

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*+"
_LABEL_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*+"
_QUOTED = r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
_REAL = r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?"
_NUMBER = rf"(?:{_REAL}|[+-]?(?i:inf(?:inity)?)|(?i:nan))"
_SPACE = r"[ \t]*+"

_STRICT_LABELS = rf"(?:{_LABEL_NAME}={_QUOTED}(?:,{_LABEL_NAME}={_QUOTED})*+)?"
_LOOSE_LABEL = rf"{_LABEL_NAME}{_SPACE}={_SPACE}{_QUOTED}{_SPACE}"
_LOOSE_LABELS = rf"{_SPACE}(?:{_LOOSE_LABEL}(?:,{_SPACE}{_LOOSE_LABEL})*+(?:,{_SPACE})?)?"

# Quantifiers are possessive: a hostile line costs time in proportion to its length, never to its square.
_OPENMETRICS_SERIES = re.compile(rf"({_NAME})(?:\{{({_STRICT_LABELS})\}})? ")
_TEXT_SERIES = re.compile(rf"{_SPACE}({_NAME})(?:{_SPACE}\{{({_LOOSE_LABELS})\}}{_SPACE}|[ \t]++)")
_LABEL = re.compile(rf'({_LABEL_NAME}){_SPACE}={_SPACE}"([^"\\\n]*+(?:\\.[^"\\\n]*+)*+)"')
_OPENMETRICS_REST = re.compile(rf"({_NUMBER})(?: ({_REAL}))?(?: # \{{({_STRICT_LABELS})\}} ({_NUMBER})(?: ({_REAL}))?)?")
_TEXT_REST = re.compile(rf"{_SPACE}({_NUMBER})(?:[ \t]++({_REAL}))?[ \t\r]*+")
_ESCAPE = re.compile(r'\\([\\n"])')

METRIC_NAME = re.compile(_NAME)


class Rest(NamedTuple):
    """What follows the series on a line. `timestamp` in seconds or None."""

    value: float
    timestamp: float | None
    has_exemplar: bool


class SeriesText(NamedTuple):
    """What a line begins with: `length` characters up to its value, and the raw text between the brackets ("" if none)."""

    name: str
    label_text: str
    length: int


def series_of(line: str, openmetrics: bool) -> SeriesText:
    """The series of a sample line. Raises `ExpositionError`."""
    match = (_OPENMETRICS_SERIES if openmetrics else _TEXT_SERIES).match(line)
    if match is None:
        raise ExpositionError(f"neither a sample nor metadata: {shortened(line)}")
    return SeriesText(match[1], match[2] or "", match.end())


def labels_of(label_text: str, limits: ExpositionLimits) -> Labels:
    """Label names and values in the order written, escapes resolved. Raises `ExpositionError` on duplicates, `LimitError`."""
    pairs = _LABEL.findall(label_text)
    if len(pairs) > limits.labels:
        raise LimitError(f"a series has more than {limits.labels} labels")
    if "\\" in label_text:
        pairs = [(name, unescaped(value)) for name, value in pairs]
    if len(label_text) > min(limits.name_length, limits.value_length):
        for name, value in pairs:
            if len(name) > limits.name_length or len(value) > limits.value_length:
                raise LimitError(
                    f"label {shortened(name)} is over its length ({limits.name_length} characters for a name,"
                    f" {limits.value_length} for a value)"
                )
    if len(dict(pairs)) < len(pairs):
        raise ExpositionError(f"a label stands twice in {shortened(label_text)}")
    return tuple(pairs)


def rest_of(text: str, openmetrics: bool) -> Rest:
    """Value, timestamp and exemplar of what follows a series. Raises `ExpositionError`."""
    match = (_OPENMETRICS_REST if openmetrics else _TEXT_REST).fullmatch(text)
    if match is None:
        raise ExpositionError(f"not a value with an optional timestamp: {shortened(text)}")
    timestamp: float | None = None
    if match[2] is not None:
        timestamp = float(match[2]) if openmetrics else float(match[2]) / 1000.0
        if not math.isfinite(timestamp):
            raise ExpositionError(f"timestamp out of range: {shortened(text)}")
    has_exemplar = openmetrics and match[4] is not None
    if has_exemplar:
        _check_exemplar(match[3], match[5])
    return Rest(float(match[1]), timestamp, has_exemplar)


def _check_exemplar(label_text: str, timestamp: str | None) -> None:
    labels = labels_of(label_text, ExpositionLimits())
    if sum(len(name) + len(value) for name, value in labels) > MAX_EXEMPLAR:
        raise ExpositionError(f"an exemplar's labels have more than {MAX_EXEMPLAR} characters")
    if timestamp is not None and not math.isfinite(float(timestamp)):
        raise ExpositionError("an exemplar's timestamp is out of range")


def unescaped(text: str) -> str:
    """`text` with the escapes for backslash, quote and line feed resolved; others stay as they are."""
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text) if "\\" in text else text


def shortened(text: str, limit: int = 80) -> str:
    """`text` for an error message: quoted, control characters escaped, cut."""
    return repr(text if len(text) <= limit else f"{text[:limit]}…")
