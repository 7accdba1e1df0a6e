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

_ANY_LABEL = rf"(?:{_LABEL_NAME}|{_QUOTED})"
_STRICT_LABEL = rf"{_ANY_LABEL}={_QUOTED}"
_STRICT_LABELS = rf"(?:{_STRICT_LABEL}(?:,{_STRICT_LABEL})*+)?"
_LOOSE_LABEL = rf"{_ANY_LABEL}{_SPACE}={_SPACE}{_QUOTED}{_SPACE}"
_LOOSE_LABELS = rf"{_SPACE}(?:{_LOOSE_LABEL}(?:,{_SPACE}{_LOOSE_LABEL})*+(?:,{_SPACE})?)?"

# Quantifiers are possessive: a hostile line costs time in proportion to its length, never to its square.
_OPENMETRICS_SERIES = re.compile(rf"({_NAME})(?:\{{({_STRICT_LABELS})\}})? ")
_TEXT_SERIES = re.compile(rf"{_SPACE}({_NAME})(?:{_SPACE}\{{({_LOOSE_LABELS})\}}{_SPACE}|[ \t]++)")
# Names that need quotes stand inside the brackets, the metric's first (Prometheus 3, "UTF-8 support").
_OPENMETRICS_QUOTED = re.compile(rf"\{{({_QUOTED})(?:,({_STRICT_LABEL}(?:,{_STRICT_LABEL})*+))?\}} ")
_TEXT_QUOTED = re.compile(rf"{_SPACE}\{{{_SPACE}({_QUOTED}){_SPACE}(?:,({_LOOSE_LABELS}))?\}}{_SPACE}")
_INNER = r'"([^"\\\n]*+(?:\\.[^"\\\n]*+)*+)"'
_LABEL = re.compile(rf"({_LABEL_NAME}){_SPACE}={_SPACE}{_INNER}")
_LABEL_OR_QUOTED = re.compile(rf"(?:({_LABEL_NAME})|{_INNER}){_SPACE}={_SPACE}{_INNER}")
_MAY_QUOTE = re.compile(r'"[ \t]*=')
_OPENMETRICS_METADATA = re.compile(rf"# ([A-Z]+) ({_QUOTED})(?: (.*))?")
_TEXT_METADATA = re.compile(rf"#[ \t]++([A-Z]+)[ \t]++({_QUOTED})(?:[ \t]++(.*))?")
_OPENMETRICS_REST = re.compile(rf"({_NUMBER})(?: ({_REAL}))?(?: # \{{({_STRICT_LABELS})\}} ({_NUMBER})(?: ({_REAL}))?)?")
_TEXT_REST = re.compile(rf"{_SPACE}({_NUMBER})(?:[ \t]++({_REAL}))?[ \t\r]*+")
_ESCAPE = re.compile(r'\\([\\n"])')

METRIC_NAME = re.compile(_NAME)
NUMBER = re.compile(_NUMBER)


class ExemplarText(NamedTuple):
    """An exemplar as a target tells it: labels in the order written, its value, its time in seconds or None."""

    labels: Labels
    value: float
    timestamp: float | None


class Rest(NamedTuple):
    """What follows the series on a line. `timestamp` in seconds or None."""

    value: float
    timestamp: float | None
    exemplar: ExemplarText | None

    @property
    def has_exemplar(self) -> bool:
        return self.exemplar is not None


class Metadata(NamedTuple):
    """What a line beginning with # says of a family; `text` None where the line ends before it."""

    keyword: str
    name: str
    text: str | None


class SeriesText(NamedTuple):
    """What a line begins with: `length` characters up to its value, and the raw text of its labels ("" if none)."""

    name: str
    label_text: str
    length: int


def series_of(line: str, openmetrics: bool) -> SeriesText:
    """The series of a sample line. Raises `ExpositionError`."""
    match = (_OPENMETRICS_SERIES if openmetrics else _TEXT_SERIES).match(line)
    if match is not None:
        return SeriesText(match[1], match[2] or "", match.end())
    match = (_OPENMETRICS_QUOTED if openmetrics else _TEXT_QUOTED).match(line)
    if match is None:
        raise ExpositionError(f"neither a sample nor metadata: {shortened(line)}")
    return SeriesText(_name_in(match[1]), match[2] or "", match.end())


def metadata_of(line: str, openmetrics: bool, helps: bool = False) -> Metadata | None:
    """What a line beginning with # says of a family; None where it is a comment, as all but TYPE are in the older format to a
    reader who shows no help (`helps`: who does). Raises `ExpositionError`."""
    words = line.split(" " if openmetrics else None, 3)
    meant = ("TYPE", "HELP", "UNIT") if openmetrics else ("TYPE", "HELP") if helps else ("TYPE",)
    if len(words) < 2 or words[0] != "#" or words[1] not in meant:
        return None
    if len(words) > 2 and words[2].startswith('"'):
        match = (_OPENMETRICS_METADATA if openmetrics else _TEXT_METADATA).fullmatch(line)
        if match is None:
            raise ExpositionError(f"not a quoted metric name: {shortened(words[2])}")
        return Metadata(match[1], _name_in(match[2]), match[3])
    name = words[2] if len(words) > 2 else ""
    if METRIC_NAME.fullmatch(name) is None:
        raise ExpositionError(f"not a metric name: {shortened(name)}")
    return Metadata(words[1], name, words[3] if len(words) > 3 else None)


def _name_in(quoted: str) -> str:
    name = unescaped(quoted[1:-1])
    if not name:
        raise ExpositionError("a metric has an empty name")
    return name


def labels_of(label_text: str, limits: ExpositionLimits) -> Labels:
    """Label names and values in the order written, escapes resolved. Raises `ExpositionError` on duplicates, `LimitError`."""
    if _MAY_QUOTE.search(label_text) is None:
        pairs = _LABEL.findall(label_text)
    else:
        found = _LABEL_OR_QUOTED.findall(label_text)
        pairs = [(bare or unescaped(quoted), value) for bare, quoted, value in found]
        if any(not name for name, _ in pairs):
            raise ExpositionError(f"a label has an empty name in {shortened(label_text)}")
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
    if "__name__" in label_text and "__name__" in dict(pairs):
        raise ExpositionError(f"a series has two names in {shortened(label_text)}")
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
    exemplar = _exemplar(match[3], match[4], match[5]) if openmetrics and match[4] is not None else None
    return Rest(float(match[1]), timestamp, exemplar)


def _exemplar(label_text: str, value: str, timestamp: str | None) -> ExemplarText:
    labels = labels_of(label_text, ExpositionLimits())
    if sum(len(name) + len(value) for name, value in labels) > MAX_EXEMPLAR:
        raise ExpositionError(f"an exemplar's labels have more than {MAX_EXEMPLAR} characters")
    if timestamp is not None and not math.isfinite(float(timestamp)):
        raise ExpositionError("an exemplar's timestamp is out of range")
    return ExemplarText(labels, float(value), None if timestamp is None else float(timestamp))


def unescaped(text: str) -> str:
    """`text` with the escapes for backslash, quote and line feed resolved; others stay as they are."""
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], text) if "\\" in text else text


def shortened(text: str, limit: int = 80) -> str:
    """`text` for an error message: quoted, control characters escaped, cut."""
    return repr(text if len(text) <= limit else f"{text[:limit]}…")
