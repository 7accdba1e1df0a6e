"""Which services sent spans and logs, and what their operations are called: for completion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collector.storage.traces.reading import Part
from collector.storage.traces.settings import SPANS
from collector.storage.traces.summary import Summary, of_logs, of_spans
from monitor.model.spans import Spans
from monitor.wire.tracing import MAX_NAME, ServiceOperations

MOST_SERVICES, MOST_OPERATIONS = 2000, 500
"""Told at most: services, and operations of each."""


def services_of(parts: Sequence[Part]) -> list[ServiceOperations]:
    """By name."""
    rows: dict[str, list[int]] = {}
    operations: dict[str, set[str]] = {}
    for part, summary in _summaries(parts):
        for name, one in summary.services.items():
            rows.setdefault(name, [0, 0])[0 if part.kind == SPANS else 1] += one.rows
            operations.setdefault(name, set()).update(one.operations)
    names = sorted(name for name in rows if name)[:MOST_SERVICES]
    return [
        ServiceOperations(
            name[:MAX_NAME], tuple(each[:MAX_NAME] for each in sorted(operations[name])[:MOST_OPERATIONS]), *rows[name]
        )
        for name in names
    ]


def _summaries(parts: Sequence[Part]) -> Iterator[tuple[Part, Summary]]:
    for part in parts:
        if part.summary is not None:
            yield part, part.summary
        elif part.fresh is not None:
            rows = part.fresh.rows
            yield part, of_spans(rows) if isinstance(rows, Spans) else of_logs(rows)
