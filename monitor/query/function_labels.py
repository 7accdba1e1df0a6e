"""Functions of labels and of the order of series.

Sources: Prometheus, promql/functions.go; Go, regexp.Expand; facette/natsort, whose natural order sort_by_label has.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import re2

from monitor.model.matchers import MAX_PATTERN, NAME_TAG
from monitor.query.ast import Call, String
from monitor.query.context import Frame, Run
from monitor.query.history import Labels, QueryError
from monitor.query.labelsets import valid_label_name, value_of, with_labels
from monitor.query.vectors import Vector, merged

_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))", re.ASCII)
_CHUNK = re.compile(r"\d+|\D+", re.ASCII)


def _text(call: Call, place: int) -> str:
    arg = call.args[place]
    if not isinstance(arg, String):
        raise QueryError(f"{call.func} takes a string as argument {place + 1}")
    return arg.value


def _replaced(run: Run, call: Call, frame: Frame) -> Vector:
    target, template, source, expression = (_text(call, place) for place in range(1, 5))
    pattern = _compiled(expression)
    if not valid_label_name(target):
        raise QueryError(f"invalid destination label name in label_replace(): {target}")
    vector = run.vector(call.args[0], frame)
    labels, nameless = list(vector.labels), vector.nameless.copy()
    for row, old in enumerate(vector.labels):
        found = pattern.fullmatch(value_of(old, source))
        if found is not None:
            labels[row] = with_labels(old, {target: _expanded(template, found, pattern)})
            if target == NAME_TAG:
                nameless[row] = False
    return _relabelled(vector, labels, nameless)


def _relabelled(vector: Vector, labels: list[Labels], nameless: Any) -> Vector:
    return merged(Vector(tuple(labels), vector.values, vector.present, vector.cells, nameless))


@functools.lru_cache(maxsize=256)
def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    options.dot_nl = True
    try:
        if len(expression) > MAX_PATTERN:
            raise QueryError(f"the pattern has {len(expression)} characters (at most {MAX_PATTERN})")
        return re2.compile(expression, options)
    except re2.error:
        raise QueryError(f"invalid regular expression in label_replace(): {expression}") from None


def _expanded(template: str, found: Any, pattern: Any) -> str:
    """`$1`, `${1}`, `$name`, `$$`; a reference to nothing is empty."""

    def reference(match: re.Match[str]) -> str:
        if match.group(1):
            return "$"
        name = match.group(2) or match.group(3)
        if name.isdigit():
            number = int(name) if len(name) < 6 else pattern.groups + 1
        else:
            number = pattern.groupindex.get(name, pattern.groups + 1)
        return (found.group(number) or "") if number <= pattern.groups else ""

    return _REFERENCE.sub(reference, template)


def _joined(run: Run, call: Call, frame: Frame) -> Vector:
    target, separator = _text(call, 1), _text(call, 2)
    sources = [_text(call, place) for place in range(3, len(call.args))]
    if not valid_label_name(target):
        raise QueryError(f"invalid destination label name in label_join(): {target}")
    for source in sources:
        if not valid_label_name(source):
            raise QueryError(f"invalid source label name in label_join(): {source}")
    vector = run.vector(call.args[0], frame)
    labels = [with_labels(old, {target: separator.join(value_of(old, name) for name in sources)}) for old in vector.labels]
    nameless = np.zeros(len(labels), bool) if target == NAME_TAG else vector.nameless
    return _relabelled(vector, labels, nameless)


def _sorted(run: Run, call: Call, frame: Frame) -> Vector:
    vector = run.vector(call.args[0], frame)
    vector = vector.where(vector.floats()).populated()
    if len(frame) > 1:
        run.notes.sort_in_range(call.span)
        return vector
    values = vector.values[:, 0]
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(-values[known] if call.func == "sort_desc" else values[known], kind="stable")]
    return vector.take(np.concatenate((order, np.flatnonzero(np.isnan(values)))))


def _sorted_by_label(run: Run, call: Call, frame: Frame) -> Vector:
    vector = run.vector(call.args[0], frame)
    if len(frame) > 1:
        run.notes.sort_in_range(call.span)
        return vector
    names = [_text(call, place) for place in range(1, len(call.args))]

    def compare(left: int, right: int) -> int:
        a, b = vector.labels[left], vector.labels[right]
        for name in names:
            first, second = value_of(a, name), value_of(b, name)
            if first != second:
                return -1 if _naturally_before(first, second) else 1
        return -1 if a < b else int(a > b)

    order = sorted(range(len(vector.labels)), key=functools.cmp_to_key(compare), reverse=call.func == "sort_by_label_desc")
    return vector.take(np.array(order, np.int64))


def _naturally_before(left: str, right: str) -> bool:
    """Runs of digits compare as numbers."""
    first, second = _CHUNK.findall(left), _CHUNK.findall(right)
    for a, b in zip(first, second, strict=False):
        if a.isdigit() and b.isdigit():
            if int(a) != int(b):
                return int(a) < int(b)
        elif a != b:
            return bool(a < b)
    return len(first) <= len(second)


LABEL_FUNCTIONS: dict[str, Callable[[Run, Call, Frame], Vector]] = {
    "label_join": _joined,
    "label_replace": _replaced,
    "sort": _sorted,
    "sort_desc": _sorted,
    "sort_by_label": _sorted_by_label,
    "sort_by_label_desc": _sorted_by_label,
}
