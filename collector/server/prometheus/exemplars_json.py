"""Exemplars as `/api/v1/query_exemplars` answers them (prometheus.io, querying/api, "Querying exemplars")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from collector.server.prometheus.numbers import go_float
from collector.storage.interning import labels_of
from monitor.model.exemplar_table import Found, Rows
from monitor.model.exemplars import all_labels

MOST = 20_000
"""Exemplars of an answer; of more the newest are told."""
TRUNCATED = f"more than {MOST} exemplars: the newest are told, ask for a shorter time or fewer series"


def exemplars_json(found: Sequence[Found]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The data of an answer, and warnings."""
    since = -np.inf
    warnings: tuple[str, ...] = ()
    if sum(len(each.rows.times) for each in found) > MOST:
        since, warnings = np.sort(np.concatenate([each.rows.times for each in found]))[-MOST], (TRUNCATED,)
    told = ((each, each.rows.take(each.rows.times >= since)) for each in found)
    answer = [{"seriesLabels": dict(labels_of(each.key)), "exemplars": _told(rows)} for each, rows in told if len(rows.times)]
    return answer, warnings


def _told(rows: Rows) -> list[dict[str, Any]]:
    columns = (column.tolist() for column in (rows.traces, rows.spans, rows.labels, rows.values, rows.times))
    return [
        {
            "labels": dict(all_labels(high << 64 | low, span, labels)),
            "value": go_float(value),
            "timestamp": round(time * 1000) / 1000,
        }
        for (high, low), span, labels, value, time in zip(*columns, strict=True)
    ]
