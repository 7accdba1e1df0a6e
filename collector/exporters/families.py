"""Metric families: what an exposition is made of, and the collected series put together to them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from collector.exporters.exemplars import Newest, Shown
from collector.exporters.formats import Escaping
from collector.storage.interning import KIND_LABEL
from collector.storage.remote.names import old_labels
from monitor.model.matchers import NAME_TAG
from monitor.query.histogram import Histogram
from monitor.query.history import Labels, Metadata

FamilyKind = Literal["counter", "gauge", "histogram", "summary", "info", "unknown"]
Sample = tuple[str, Labels, float | Histogram]
"""What is put behind the family's name, labels without the name, value."""

_NOTHING = Metadata()
_SUFFIXES = ("_bucket", "_sum", "_count")
_ORDER = {"_bucket": 0, "": 0, "_count": 1, "_sum": 2}


@dataclass(slots=True, eq=False)
class Family:
    """`name` is without the suffix of a counter's or info's samples. A distribution is one sample with a `Histogram`; a classic
    histogram or summary is a sample a bucket or quantile, its count and its sum.
    """

    name: str
    kind: FamilyKind
    help: str = ""
    unit: str = ""
    samples: list[Sample] = field(default_factory=list)
    exemplars: dict[tuple[str, Labels], Sequence[Shown]] = field(default_factory=dict)
    """By suffix and labels of a sample."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """`duplicates`: series left out because another had the same name and labels once they were escaped."""

    families: Sequence[Family]
    duplicates: int


def families_of(
    values: Mapping[Labels, float | Histogram],
    metadata: Mapping[str, Metadata],
    escaping: Escaping,
    exemplars: Newest | None = None,
) -> Gathered:
    """The newest values as families in order of name, names and labels escaped as asked, with `exemplars` of their series."""
    spelled = [_spelled(labels, escaping) for labels in values]
    shapes = _Shapes(spelled)
    families: dict[str, Family] = {}
    seen: set[tuple[str, str, Labels]] = set()
    duplicates = 0
    # A step a series: each becomes a line of text.
    for (name, labels), (whole, value) in zip(spelled, values.items(), strict=True):
        sent = dict(whole).get(NAME_TAG, "")
        known = metadata.get(sent, _NOTHING)
        base, suffix, kind = shapes.of(name, labels, value, known.type)
        family = _family(families, base, kind, sent, known)
        key = (family.name, suffix, labels)
        if key in seen:
            duplicates += 1
            continue
        seen.add(key)
        family.samples.append((suffix, labels, value))
        if exemplars and (shown := exemplars.get(whole)):
            family.exemplars[suffix, labels] = shown
    for family in families.values():
        if family.kind in ("histogram", "summary"):
            family.samples.sort(key=_place)
    return Gathered(sorted(families.values(), key=lambda family: family.name), duplicates)


def _spelled(labels: Labels, escaping: Escaping) -> tuple[str, Labels]:
    told = labels if escaping == "allow-utf-8" else old_labels(labels)
    name = next((value for label, value in told if label == NAME_TAG), "") or "unnamed"
    found: dict[str, str] = {}
    for label, value in told:
        if label != NAME_TAG:
            # Scrapers drop labels that begin with two underscores: they are their own.
            label = f"_{label.lstrip('_') or 'label'}" if label.startswith("__") else label
            found[label] = f"{found[label]};{value}" if label in found else value
    return name, tuple(sorted(found.items()))


class _Shapes:
    """Which series are parts of classic histograms and summaries: known by their siblings only."""

    def __init__(self, spelled: Iterable[tuple[str, Labels]]) -> None:
        self._histograms: set[str] = set()
        self._summaries: set[str] = set()
        for name, labels in spelled:
            if name.endswith("_bucket") and any(label == "le" for label, _ in labels):
                self._histograms.add(name.removesuffix("_bucket"))
            elif any(label == "quantile" for label, _ in labels):
                self._summaries.add(name)

    def of(self, name: str, labels: Labels, value: float | Histogram, said: str) -> tuple[str, str, FamilyKind]:
        """Family, suffix and kind of a series; `said` is what is known of its type."""
        if isinstance(value, Histogram):
            return name, "", "histogram"
        for suffix in _SUFFIXES:
            base = name.removesuffix(suffix)
            if base == name:
                continue
            if base in self._histograms and (suffix != "_bucket" or any(label == "le" for label, _ in labels)):
                return base, suffix, "histogram"
            if base in self._summaries and suffix != "_bucket":
                return base, suffix, "summary"
        if name in self._summaries and any(label == "quantile" and _number(at) is not None for label, at in labels):
            return name, "", "summary"
        told = dict(labels).get(KIND_LABEL, said)
        if told == "counter":
            return name.removesuffix("_total"), "_total", "counter"
        return name, "", "gauge"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _family(families: dict[str, Family], base: str, kind: FamilyKind, sent: str, known: Metadata) -> Family:
    """The family of this name, made where there is none. A name that stands for another kind already gets the kind behind it."""
    family = families.get(base)
    if family is not None and family.kind != kind:
        base = f"{base}_{kind}"
        family = families.get(base)
    if family is None:
        unit = known.unit if known.unit and base.endswith(f"_{known.unit}") else ""
        family = families[base] = Family(base, kind, known.help or f"{sent} as Lightship has it.", unit)
    return family


def _place(sample: Sample) -> tuple[Labels, int, float]:
    suffix, labels, _ = sample
    bound = next((value for label, value in labels if label in ("le", "quantile")), "")
    number = _number(bound)
    whose = tuple(pair for pair in labels if pair[0] not in ("le", "quantile"))
    return whose, _ORDER.get(suffix, 0), math.inf if number is None else number
