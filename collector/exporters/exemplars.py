"""Exemplars of an exposition: the newest of each series, behind the sample of its counter or bucket (OpenMetrics 1.0)."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from collector.storage.interning import labels_of
from monitor.model.exemplar_table import Snapshot
from monitor.model.exemplars import all_labels
from monitor.model.series import Tags
from monitor.query.history import Labels
from monitor.query.notes import go_float

MOST_A_SERIES = 20
"""Of a distribution, whose buckets each take one."""
_OTHER = re.compile(r"[^a-zA-Z0-9_]", re.ASCII)


class Shown(NamedTuple):
    """`time` in seconds."""

    labels: Tags
    value: float
    time: float


Newest = Mapping[Labels, Sequence[Shown]]
"""By the labels of a series as the history has them: its exemplars, the newest first."""


def newest_of(kept: Snapshot, wanted: Collection[Labels]) -> dict[Labels, list[Shown]]:
    """The newest exemplars of the series that are wanted."""
    named = {number: labels for number, key in enumerate(kept.keys) if (labels := labels_of(key)) in wanted}
    if not named:
        return {}
    rows = kept.rows.take(np.isin(kept.rows.series, list(named)))
    rows = rows.take(np.lexsort((-rows.times, rows.series)))
    heads = np.flatnonzero(np.diff(rows.series, prepend=-1))
    rank = np.arange(len(rows.series)) - np.repeat(heads, np.diff(np.append(heads, len(rows.series))))
    rows = rows.take(rank < MOST_A_SERIES)
    found: dict[Labels, list[Shown]] = {}
    columns = (column.tolist() for column in (rows.series, rows.times, rows.values, rows.traces, rows.spans, rows.labels))
    for series, time, value, (high, low), span, labels in zip(*columns, strict=True):
        found.setdefault(named[series], []).append(Shown(all_labels(high << 64 | low, span, labels), value, time))
    return found


def within(shown: Sequence[Shown], above: float, bound: float) -> Shown | None:
    """The newest of a bucket's values."""
    return next((one for one in shown if above < one.value <= bound), None)


def exemplar_text(one: Shown | None) -> str:
    """What stands behind the value of a sample; "" for none."""
    if one is None:
        return ""
    pairs = {_name(name): value for name, value in one.labels}
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs.items())
    return f" # {{{labels}}} {go_float(one.value)} {one.time:.3f}"


def bucket_bound(labels: Labels) -> float:
    """The upper bound of a bucket, NaN where it has none."""
    try:
        return float(dict(labels).get("le", "nan"))
    except ValueError:
        return math.nan


def _name(name: str) -> str:
    plain = _OTHER.sub("_", name)
    return f"_{plain[1:]}" if plain[:1].isdigit() else plain


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
