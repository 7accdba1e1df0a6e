"""Which series a sender means: its labels checked, its kind decided, its id given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from collector.receivers.book import Described, SeriesBook
from collector.receivers.descriptions import Descriptions
from collector.receivers.prometheus.families import kind_of as kind_in_family
from collector.receivers.prometheus.families import unit_of
from monitor.model.matchers import NAME_TAG
from monitor.model.series import Kind
from monitor.query.history import Labels, Metadata

_COUNTER_SUFFIXES = ("_total", "_count", "_sum", "_bucket")
_FAMILY_SUFFIXES = ("_bucket", "_count", "_sum")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BadSeriesError(ValueError):
    """A series that can never be taken; the message names it and says why."""


def checked(pairs: Sequence[tuple[str, str]]) -> Labels:
    """Labels as they stand, without empty values. Raises `BadSeriesError` unless they are sorted, each name comes once and may
    be one, and there is a `__name__`.
    """
    before = ""
    for name, _ in pairs:
        if name <= before:
            raise BadSeriesError(f"{shown(pairs)}: {_disorder(name, before)}")
        if _CONTROL.search(name):
            raise BadSeriesError(f"{shown(pairs)}: the label name {name[:40]!r} has control characters")
        before = name
    metric = dict(pairs).get(NAME_TAG, "")
    if not metric:
        raise BadSeriesError(f"{shown(pairs)}: the label __name__ is missing")
    if _CONTROL.search(metric):
        raise BadSeriesError(f"{shown(pairs)}: the metric's name has control characters")
    return tuple(pairs) if all(value for _, value in pairs) else tuple(pair for pair in pairs if pair[1])


def _disorder(name: str, before: str) -> str:
    if not name:
        return "a label has no name"
    if name == before:
        return f"the label {name[:40]!r} comes twice"
    return f"its labels are not sorted ({name[:40]!r} stands behind {before[:40]!r})"


def shown(pairs: Sequence[tuple[str, str]]) -> str:
    """A series for an error message, cut and on one line."""
    text = "{" + ", ".join(f"{name[:40]}={value[:40]!r}" for name, value in pairs[:10]) + "}"
    return text.replace("\n", " ")[:300]


def kind_by_name(metric: str) -> Kind:
    """What a series without metadata is: the suffix of its name tells."""
    return Kind.COUNTER if metric.endswith(_COUNTER_SUFFIXES) else Kind.GAUGE


def kind_by_metadata(metric: str, declared: str) -> Kind | None:
    """What a type of remote write 2.0 makes of a series, None where the type says nothing ("unknown")."""
    if declared not in ("counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"):
        return None
    if declared == "counter":
        return Kind.COUNTER
    family = next((metric.removesuffix(suffix) for suffix in _FAMILY_SUFFIXES if metric.endswith(suffix)), metric)
    return kind_in_family(metric, {family: declared}) or Kind.GAUGE


class WrittenSeries:
    """The series of all senders. `quick` keeps what a sender writes for a series (bytes) with its id, for the reader alone."""

    def __init__(self, limit: int, descriptions: Descriptions | None = None) -> None:
        self._descriptions = descriptions
        self.book = SeriesBook(raw=True, limit=limit)
        # Of their own: an exemplar tells nothing of what its series is, and the history knows each series of the other book.
        self.of_exemplars = SeriesBook(raw=False, limit=limit)
        self.quick: dict[bytes, int] = {}
        self.changed = 0
        """How often metadata made another kind of a metric."""
        self._limit = limit
        self._told: dict[str, tuple[Kind, str]] = {}

    def make_room(self) -> None:
        """To be called before a message is read."""
        before = self.book.space
        self.book.make_room()
        self.of_exemplars.make_room()
        if self.book.space is not before or len(self.quick) > 2 * self._limit:
            self.quick = {}
        if len(self._told) > self._limit:
            self._told = {}

    def learn(self, metric: str, known: Metadata) -> None:
        """Metadata of 2.0: the latest of a metric holds, for senders too that say nothing of it."""
        self.describe(metric, known)
        kind = kind_by_metadata(metric, known.type)
        if kind is None:
            return
        before = self._told.get(metric)
        if before is None or before[0] is not kind:
            self._told[metric] = kind, known.unit
            if kind is not (kind_by_name(metric) if before is None else before[0]):
                self.changed += 1
                self.quick.clear()

    def describe(self, family: str, known: Metadata) -> None:
        """Metadata of either version, for people. Those of 1.0 come up to a minute after their series and decide no kind."""
        if self._descriptions is not None:
            self._descriptions.tell(family, known)

    def float_id(self, labels: Labels) -> int:
        """The id of a series of floats. Raises `BadSeriesError` where a name or value is over its bound."""
        metric = dict(labels)[NAME_TAG]
        kind, unit = self._told.get(metric) or (kind_by_name(metric), "")
        return self._id_of(labels, metric, kind, unit)

    def histogram_id(self, labels: Labels) -> int:
        """The same of a series of native histograms."""
        metric = dict(labels)[NAME_TAG]
        return self._id_of(labels, metric, Kind.DISTRIBUTION, self._told.get(metric, (None, ""))[1])

    def exemplar_id(self, labels: Labels) -> int:
        """The id of a series that has exemplars, -1 where it cannot be had."""
        metric = dict(labels)[NAME_TAG]
        return self.of_exemplars.id_of(labels, partial(_described, labels, metric, Kind.GAUGE, ""))

    def _id_of(self, labels: Labels, metric: str, kind: Kind, unit: str) -> int:
        found = self.book.id_of((labels, kind), partial(_described, labels, metric, kind, unit))
        if found < 0:
            raise BadSeriesError(f"{shown(labels)}: its name, a label or their number is over the bound")
        return found

    def name_of(self, number: int) -> str:
        """A series for an error message."""
        return self.book.space.keys[number].label().replace("\n", " ")[:300]


def _described(labels: Labels, metric: str, kind: Kind, unit: str) -> Described:
    tags = [pair for pair in labels if pair[0] != NAME_TAG]
    return metric, tags, kind, unit_of(metric, {metric.removesuffix("_total"): unit} if unit else {})
