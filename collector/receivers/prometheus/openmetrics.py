"""Strict validation of a whole OpenMetrics 1.0 exposition."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.receivers.prometheus.families import TYPES
from collector.receivers.prometheus.limits import ExpositionError, ExpositionLimits
from collector.receivers.prometheus.line import NUMBER, Labels, labels_of, metadata_of, rest_of, series_of, shortened

EOF = "# EOF"
_ALLOWED: dict[str, tuple[str, ...]] = {
    "counter": ("_total", "_created"),
    "summary": ("", "_count", "_sum", "_created"),
    "histogram": ("_bucket", "_count", "_sum", "_created"),
    "gaugehistogram": ("_bucket", "_gcount", "_gsum"),
    "info": ("_info",),
}
_COUNTS = ("_total", "_sum", "_count", "_bucket", "_gcount", "_gsum")
_WHOLE = ("_bucket", "_count", "_gcount")
_DISTINGUISHING = {"summary": ("", "quantile"), "histogram": ("_bucket", "le"), "gaugehistogram": ("_bucket", "le")}
_EXEMPLARS = {("counter", "_total"), ("histogram", "_bucket"), ("gaugehistogram", "_bucket")}


class Sample(NamedTuple):
    """One sample line."""

    name: str
    labels: dict[str, str]
    value: float
    timestamp: float | None
    has_exemplar: bool


@dataclass(slots=True)
class _Histogram:
    """The buckets and totals of one histogram at one time, as far as they were read."""

    bound: float | None = None
    in_buckets: float = 0.0
    count: float | None = None
    has_sum: bool = False
    has_gauge_sum: bool = False
    negative_bounds: bool = False
    negative_gauge_sum: bool = False

    def add(self, suffix: str, sample: Sample) -> None:
        if suffix == "_bucket":
            bound = _number(sample.labels["le"], "le")
            _require(self.bound is None or bound > self.bound, "buckets are out of order")
            _require(sample.value >= self.in_buckets, "a bucket holds less than the one before it")
            self.bound, self.in_buckets = bound, sample.value
            self.negative_bounds |= bound < 0
        elif suffix in ("_count", "_gcount"):
            self.count = sample.value
        elif suffix == "_sum":
            self.has_sum = True
        elif suffix == "_gsum":
            self.has_gauge_sum = True
            self.negative_gauge_sum |= sample.value < 0

    def check(self) -> None:
        has_any_sum = self.has_sum or self.has_gauge_sum
        _require(self.bound == math.inf, "the +Inf bucket is missing")
        _require(self.count is None or self.count == self.in_buckets, "the count is not that of the +Inf bucket")
        _require(has_any_sum == (self.count is not None), "count and sum must come together")
        _require(not (self.negative_bounds and self.has_sum), "a sum cannot stand beside negative buckets")
        _require(self.negative_bounds or not self.negative_gauge_sum, "a negative gsum needs negative buckets")


@dataclass(slots=True)
class _Family:
    """One metric family while its lines are read."""

    name: str
    metadata: dict[str, str] = field(default_factory=dict)
    samples: int = 0
    group: Labels | None = None
    groups: set[Labels] = field(default_factory=set)
    timestamp: float | None = None
    histogram: _Histogram | None = None

    @property
    def type(self) -> str:
        return self.metadata.get("TYPE", "unknown")

    def owns(self, sample_name: str) -> bool:
        return any(sample_name == self.name + suffix for suffix in _ALLOWED.get(self.type, ("",)))

    def describe(self, keyword: str, text: str) -> None:
        _require(self.samples == 0, f"metadata of {self.name} after its samples")
        _require(keyword not in self.metadata, f"more than one {keyword} for {self.name}")
        self.metadata[keyword] = text

    def add(self, sample: Sample) -> None:
        suffix = sample.name[len(self.name) :]
        self._check_labels(suffix, sample)
        self._check_value(suffix, sample)
        _require(
            not sample.has_exemplar or (self.type, suffix) in _EXEMPLARS,
            f"{sample.name} may not have an exemplar (only buckets and totals of counters)",
        )
        self._follow_groups(suffix, sample)
        self.samples += 1

    def _check_labels(self, suffix: str, sample: Sample) -> None:
        if self.type == "stateset":
            _require(self.name in sample.labels, f"a state set's sample needs the label {self.name}")
        if suffix == "_bucket":
            text = sample.labels.get("le", "NaN")
            bound = _number(text, "le")
            _require(not math.isnan(bound), f"{sample.name} needs a label le")
            _require(bound != math.inf or text == "+Inf", f'the last bucket is le="+Inf", not {shortened(text)}')
        if self.type == "summary" and suffix == "":
            quantile = _number(sample.labels.get("quantile", "NaN"), "quantile")
            _require(0.0 <= quantile <= 1.0, f"{sample.name} needs a label quantile from 0 to 1")

    def _check_value(self, suffix: str, sample: Sample) -> None:
        value = sample.value
        if suffix in _WHOLE:
            _require(value.is_integer(), f"{sample.name} is a count and must be a whole number")
        if self.type == "stateset":
            _require(value in (0.0, 1.0), "a state is 0 or 1")
        if self.type == "info":
            _require(value == 1.0, "the value of an info is 1")
        if self.type == "summary" and suffix == "":
            _require(not value < 0, "a quantile's value cannot be negative")
        if suffix in _COUNTS:
            _require(not math.isnan(value), f"{sample.name} cannot be NaN")
            _require(suffix == "_gsum" or value >= 0, f"{sample.name} cannot be negative")

    def _group_of(self, suffix: str, sample: Sample) -> Labels:
        if self.type == "info":
            return ()
        own = self.name if self.type == "stateset" else None
        if self.type in _DISTINGUISHING and suffix == _DISTINGUISHING[self.type][0]:
            own = _DISTINGUISHING[self.type][1]
        return tuple(sorted(label for label in sample.labels.items() if label[0] != own))

    def _follow_groups(self, suffix: str, sample: Sample) -> None:
        group = self._group_of(suffix, sample)
        same = group == self.group
        if same:
            _require((sample.timestamp is None) == (self.timestamp is None), "some samples of a metric have timestamps, some not")
            if sample.timestamp is not None and self.timestamp is not None and self.type != "info":
                _require(sample.timestamp >= self.timestamp, "timestamps run backwards within a metric")
        else:
            _require(group not in self.groups, f"samples of one metric of {self.name} do not stand together")
        if self.type in ("histogram", "gaugehistogram"):
            if not same or sample.timestamp != self.timestamp:
                self._end_histogram()
                self.histogram = _Histogram()
            if self.histogram is not None:
                self.histogram.add(suffix, sample)
        self.group, self.timestamp = group, sample.timestamp
        self.groups.add(group)

    def _end_histogram(self) -> None:
        if self.histogram is not None:
            self.histogram.check()

    def close(self, taken: set[str]) -> None:
        self._end_histogram()
        unit = self.metadata.get("UNIT", "")
        _require(not unit or self.name.endswith(f"_{unit}"), f"the name {self.name} does not end with its unit {shortened(unit)}")
        _require(not unit or self.type not in ("info", "stateset"), f"{self.name} cannot have a unit")
        for suffix in {"", *_ALLOWED.get(self.type, ())}:
            _require(self.name + suffix not in taken, f"the name {self.name + suffix} is taken by another family")
            taken.add(self.name + suffix)


def check_openmetrics(lines: Iterable[str], limits: ExpositionLimits) -> None:
    """Raise `ExpositionError` with the line's number unless `lines` (without line ends) are a valid OpenMetrics 1.0 text.

    Beyond the grammar: order and grouping, clashing names, units, values that a type allows, complete histograms
    (OpenMetrics 1.0, "Data Model" and "Text Format").
    """
    check = _Check(limits)
    try:
        for line in lines:
            check.line(line)
        check.end()
    except ExpositionError as error:
        raise type(error)(f"line {check.number}: {error}") from None


class _Check:
    def __init__(self, limits: ExpositionLimits) -> None:
        self._limits = limits
        self._family: _Family | None = None
        self._taken: set[str] = set()
        self._ended = False
        self.number = 0

    def line(self, line: str) -> None:
        self.number += 1
        _require(not self._ended, "text after # EOF")
        _require(line != "", "a blank line")
        if line == EOF:
            self._ended = True
        elif line.startswith("#"):
            self._metadata(line)
        else:
            self._sample(line)

    def end(self) -> None:
        if self._family is not None:
            self._family.close(self._taken)
        _require(self._ended, "the last line must be # EOF (was the answer cut off?)")

    def _metadata(self, line: str) -> None:
        described = metadata_of(line, openmetrics=True)
        if described is None or described.text is None:
            raise ExpositionError("neither HELP, TYPE nor UNIT with a name and a text")
        _require(described.keyword != "TYPE" or described.text in TYPES, f"unknown type {shortened(described.text)}")
        self._family_named(described.name).describe(described.keyword, described.text)

    def _sample(self, line: str) -> None:
        series = series_of(line, openmetrics=True)
        rest = rest_of(line[series.length :], openmetrics=True)
        labels = dict(labels_of(series.label_text, self._limits))
        family = self._family
        if family is None or not family.owns(series.name):
            family = self._begin(series.name)
        family.add(Sample(series.name, labels, rest.value, rest.timestamp, rest.has_exemplar))

    def _family_named(self, name: str) -> _Family:
        if self._family is not None and self._family.name == name:
            return self._family
        return self._begin(name)

    def _begin(self, name: str) -> _Family:
        if self._family is not None:
            self._family.close(self._taken)
        self._family = _Family(name)
        return self._family


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ExpositionError(message)


def _number(text: str, label: str) -> float:
    # float() alone would take blanks and underscores too.
    _require(NUMBER.fullmatch(text) is not None, f"label {label} is not a number: {shortened(text)}")
    return float(text)
