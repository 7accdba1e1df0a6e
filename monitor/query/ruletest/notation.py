"""The notation of series in tests: `metric{a="b"}` and `1 2 _ 3+1x5 stale {{schema:0 count:2 buckets:[1 1]}}+{{count:1}}x3`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from monitor.query.ast import Selector
from monitor.query.histogram import CUSTOM_SCHEMA, NO_BOUNDS, Buckets, Hint, Histogram
from monitor.query.histogram_math import add, cell, subtract
from monitor.query.history import STALE, Labels, ParseError, Values
from monitor.query.parse import parse

MAX_POINTS = 1_000_000
_NUMBER = r"(?:[Ii][Nn][Ff]|[Nn][Aa][Nn]|stale|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_ITEM = re.compile(rf"([+-]?{_NUMBER})(?:([+-]{_NUMBER}))?(?:x(\d+))?(?=\s|$)")
_BLANK = re.compile(r"_(?:x(\d+))?(?=\s|$)")
_HISTOGRAM = re.compile(r"(\{\{.*?\}\})(?:([+-])(\{\{.*?\}\}))?(?:x(\d+))?(?=\s|$)", re.DOTALL)
_FIELD = re.compile(r"([a-z_]+):(?:\[([^\]]*)\]|([^\s\[\]}]+))")
_HINTS = {"unknown": Hint.UNKNOWN, "reset": Hint.RESET, "not_reset": Hint.NO_RESET, "gauge": Hint.GAUGE}
_FIELDS = frozenset(
    {"schema", "sum", "count", "z_bucket", "z_bucket_w", "custom_values", "buckets", "offset", "n_buckets", "n_offset"}
)


class NotationError(ValueError):
    """Text that describes no series."""


@dataclass(frozen=True, slots=True)
class Points:
    """The samples of one series: their places (0 the first), and a float or a histogram for each."""

    places: tuple[int, ...]
    cells: tuple[float | Histogram, ...]


def labels_of(text: str) -> Labels:
    """The labels of `name{label="value"}`. Raises `NotationError`."""
    if text.strip() in ("", "{}"):
        return ()
    try:
        found = parse(text)
    except ParseError as error:
        raise NotationError(f"{text[:100]!r} is not a series: {error}") from None
    if not isinstance(found, Selector) or found.is_range or any(matcher.op != "=" for matcher in found.matchers):
        raise NotationError(f"{text[:100]!r} is not a series")
    pairs = {matcher.name: matcher.value for matcher in found.matchers if matcher.value}
    return tuple(sorted(pairs.items()))


def points_of(text: str) -> Points:
    """The samples that a notation stands for. Raises `NotationError`."""
    cells: list[float | Histogram | None] = []
    rest = text.strip()
    while rest:
        blank, item, histogram = _BLANK.match(rest), _ITEM.match(rest), _HISTOGRAM.match(rest)
        found = blank or item or histogram
        if found is None:
            raise NotationError(f"not a value: {rest[:60]!r}")
        times = next((int(group) for group in (found.groups()[-1],) if group), 0)
        if len(cells) + times > MAX_POINTS:
            raise NotationError(f"more than {MAX_POINTS:,} samples in a series")
        if blank is not None:
            cells += [None] * (times or 1)
        elif item is not None:
            cells += _floats(item, times)
        elif histogram is not None:
            cells += _histograms(histogram, times)
        rest = rest[found.end() :].lstrip()
    there = [(place, each) for place, each in enumerate(cells) if each is not None]
    return Points(tuple(place for place, _ in there), tuple(each for _, each in there))


def _floats(item: re.Match[str], times: int) -> list[float]:
    first = STALE if item[1] == "stale" else number(item[1])
    if item[2] is not None and item[3] is None:
        raise NotationError(f"a step without a number of repetitions: {item[0]!r}")
    found, value = [first], first
    for _ in range(times):
        value = value + number(item[2]) if item[2] else value
        found.append(value)
    return found


def _histograms(found: re.Match[str], times: int) -> list[Histogram]:
    first = histogram_of(found[1])
    if found[3] is None:
        return [first] * (times + 1)
    step, combine = histogram_of(found[3]), add if found[2] == "+" else subtract
    histograms, current = [first], cell(first)
    for _ in range(times):
        current = combine(current, cell(step)).cells
        histograms.append(current[0])
    return histograms


def histogram_of(text: str) -> Histogram:
    """`{{schema:1 count:5 sum:3 z_bucket:1 z_bucket_w:0.1 buckets:[1 2] offset:1 n_buckets:[…] custom_values:[…]}}`."""
    fields: dict[str, str] = {}
    body = text.removeprefix("{{").removesuffix("}}")
    for name, many, one in _FIELD.findall(body):
        if name in fields:
            raise NotationError(f"{name} twice in {text[:100]}")
        fields[name] = many or one
    hint = fields.pop("counter_reset_hint", "unknown")
    if _FIELD.sub("", body).strip() or not fields.keys() <= _FIELDS or hint not in _HINTS:
        raise NotationError(f"not a histogram: {text[:100]}")
    schema = int(fields.get("schema", "0"))
    return Histogram.of(
        schema,
        number(fields.get("count", "0")),
        number(fields.get("sum", "0")),
        zero_threshold=number(fields.get("z_bucket_w", "0")),
        zero_count=number(fields.get("z_bucket", "0")),
        positive=_buckets(fields.get("buckets", ""), fields.get("offset", "0")),
        negative=_buckets(fields.get("n_buckets", ""), fields.get("n_offset", "0")),
        custom_values=_numbers(fields.get("custom_values", "")) if schema == CUSTOM_SCHEMA else NO_BOUNDS,
        hint=_HINTS[hint],
    )


def _numbers(text: str) -> Values:
    return np.array([number(part) for part in text.split()], np.float64)


def _buckets(text: str, offset: str) -> Buckets:
    counts = _numbers(text)
    return Buckets((np.arange(len(counts)) + int(offset)).astype(np.int32), counts)


def number(text: str) -> float:
    """A float as the notation and YAML write it. Raises `NotationError`."""
    plain = text.strip().lower().replace("_", "x")
    try:
        if re.fullmatch(r"[+-]?0x[0-9a-f]+", plain):
            return float(int(plain, 16))
        return float(re.sub(r"^([+-]?)\.(inf|nan)$", r"\1\2", plain))
    except ValueError:
        raise NotationError(f"not a number: {text[:60]!r}") from None
