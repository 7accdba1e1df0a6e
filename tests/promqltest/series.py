"""The notation of series: `metric{a="b"} 1 2 _ 3+1x5 stale {{schema:0 count:2 buckets:[1 1]}}+{{count:1}}x3`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from monitor.query.histogram import CUSTOM_SCHEMA, NO_BOUNDS, Buckets, Hint, Histogram
from monitor.query.histogram_math import add, cell, subtract
from monitor.query.history import STALE, Labels, Values
from tests.promqltest.text import BadTestError, duration, metric, number

_NUMBER = r"(?:[Ii][Nn][Ff]|[Nn][Aa][Nn]|stale|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_ITEM = re.compile(rf"([+-]?{_NUMBER})(?:([+-]{_NUMBER}))?(?:x(\d+))?(?=\s|$)")
_BLANK = re.compile(r"_(?:x(\d+))?(?=\s|$)")
_HISTOGRAM = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_STEPS = re.compile(r"([+-])(\{\{.*?\}\})x(\d+)(?=\s|$)")
_REPEAT = re.compile(r"x(\d+)(?=\s|$)")
_FIELD = re.compile(r"([a-z_]+):(?:\[([^\]]*)\]|([^\s\[\]}]+))")
_HINTS = {"unknown": Hint.UNKNOWN, "reset": Hint.RESET, "not_reset": Hint.NO_RESET, "gauge": Hint.GAUGE}
_FIELDS = {"schema", "sum", "count", "z_bucket", "z_bucket_w", "custom_values", "buckets", "offset", "n_buckets", "n_offset"}


@dataclass(frozen=True, slots=True)
class Point:
    """One place of a series: nothing (`omitted`), a float or a histogram. `hint_given`: its reset hint was written down."""

    omitted: bool = False
    value: float = 0.0
    histogram: Histogram | None = None
    hint_given: bool = False


def parse_series(text: str) -> tuple[Labels, list[Point]]:
    """Labels and points of a line."""
    labels, rest = metric(text)
    return labels, parse_points(rest)


def parse_points(text: str) -> list[Point]:
    """The points that a notation stands for."""
    points: list[Point] = []
    text = text.strip()
    while text:
        blank = _BLANK.match(text)
        item = _ITEM.match(text)
        if blank is not None:
            points += [Point(omitted=True)] * int(blank.group(1) or 1)
            text = text[blank.end() :].lstrip()
        elif text.startswith("{{"):
            found, text = _histograms(text)
            points += found
        elif item is not None:
            points += _floats(item)
            text = text[item.end() :].lstrip()
        else:
            raise BadTestError(f"not a value: {text!r}")
    return points


def _floats(item: re.Match[str]) -> list[Point]:
    first = STALE if item.group(1) == "stale" else number(item.group(1))
    times = int(item.group(3) or 0)
    if item.group(2) is not None and item.group(3) is None:
        raise BadTestError(f"a step without a number of repetitions: {item.group()!r}")
    step = number(item.group(2)) if item.group(2) else 0.0
    points, value = [Point(value=first)], first
    for _ in range(times):
        # Copied where it stays the same: arithmetic would take the bits of the staleness marker.
        value = value + step if item.group(2) else value
        points.append(Point(value=value))
    return points


def _histograms(text: str) -> tuple[list[Point], str]:
    opening = _HISTOGRAM.match(text)
    if opening is None:
        raise BadTestError(f"a histogram that does not end: {text!r}")
    first = parse_histogram(opening.group())
    rest = text[opening.end() :]
    steps, repeat = _STEPS.match(rest), _REPEAT.match(rest)
    if repeat is not None:
        return [first] * (int(repeat.group(1)) + 1), rest[repeat.end() :].lstrip()
    if steps is None:
        return [first], rest.lstrip()
    step = parse_histogram(steps.group(2))
    assert first.histogram is not None
    assert step.histogram is not None
    if first.histogram.schema > step.histogram.schema:
        raise BadTestError(f"cannot merge from schema {step.histogram.schema} to {first.histogram.schema}")
    points, current = [first], cell(first.histogram)
    combine = add if steps.group(1) == "+" else subtract
    for _ in range(int(steps.group(3))):
        current = combine(current, cell(step.histogram)).cells
        points.append(Point(histogram=current[0], hint_given=first.hint_given or step.hint_given))
    return points, rest[steps.end() :].lstrip()


def parse_histogram(text: str) -> Point:
    """`{{schema:1 count:5 sum:3 z_bucket:1 z_bucket_w:0.1 buckets:[1 2] offset:1 n_buckets:[…] custom_values:[…]}}`."""
    fields: dict[str, str] = {}
    body = text.removeprefix("{{").removesuffix("}}")
    for name, many, one in _FIELD.findall(body):
        if name in fields:
            raise BadTestError(f"{name} twice in {text}")
        fields[name] = many or one
    if _FIELD.sub("", body).strip():
        raise BadTestError(f"not a histogram: {text}")
    hint = fields.pop("counter_reset_hint", None)
    if not fields.keys() <= _FIELDS or (hint is not None and hint not in _HINTS):
        raise BadTestError(f"unknown field or hint in {text}")
    schema = int(fields.get("schema", "0"))
    custom = _numbers(fields.get("custom_values", "")) if schema == CUSTOM_SCHEMA else NO_BOUNDS
    histogram = Histogram.of(
        schema,
        number(fields.get("count", "0")),
        number(fields.get("sum", "0")),
        zero_threshold=number(fields.get("z_bucket_w", "0")),
        zero_count=number(fields.get("z_bucket", "0")),
        positive=_buckets(fields.get("buckets", ""), fields.get("offset", "0")),
        negative=_buckets(fields.get("n_buckets", ""), fields.get("n_offset", "0")),
        custom_values=custom,
        hint=_HINTS[hint or "unknown"],
    )
    return Point(histogram=histogram, hint_given=hint is not None)


def _numbers(text: str) -> Values:
    return np.array([number(part) for part in text.split()], np.float64)


def _buckets(text: str, offset: str) -> Buckets:
    counts = _numbers(text)
    return Buckets((np.arange(len(counts)) + int(offset)).astype(np.int32), counts)


def parse_starts(text: str) -> list[int | None]:
    """Start timestamps as offsets in milliseconds from their samples: `-1m`, `_x2`, `-30s-1mx2`, `*`."""
    starts: list[int | None] = []
    for item in text.split():
        found = re.fullmatch(r"(_|\*|[+-]?\d+[a-wyz]*)(?:([+-]\d+[a-wyz]*))?(?:x(\d+))?", item)
        if found is None:
            raise BadTestError(f"not a start timestamp: {item!r}")
        base, step, times = found.groups()
        if base == "_":
            starts += [None] * int(times or 1)
            continue
        first = next((s for s in reversed(starts) if s is not None), 0) if base == "*" else duration(base)
        starts += [first + n * (duration(step) if step else 0) for n in range(int(times or 0) + 1)]
    return starts
