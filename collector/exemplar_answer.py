"""What a client asks of exemplars, answered: of each expression's series those that stand out."""

from __future__ import annotations

import asyncio

import numpy as np

from collector.exemplars import KeptExemplars, found_in
from collector.server.backend import CommandError
from monitor.model.exemplar_table import Snapshot
from monitor.query.history import ParseError
from monitor.query.parse import parse
from monitor.query.tree import selected
from monitor.wire.exemplars import ExemplarInfo, ExemplarsFound, GetExemplars

MOST = 1_000
"""Told at once."""
MOST_EXPRESSIONS = 16


async def answer_exemplars(kept: KeptExemplars | None, request: GetExemplars) -> ExemplarsFound:
    """The answer. Raises `CommandError` for what cannot be asked."""
    if len(request.exprs) > MOST_EXPRESSIONS:
        raise CommandError(f"Ask for the exemplars of at most {MOST_EXPRESSIONS} expressions at once.")
    if not request.start <= request.end:
        raise CommandError("The end of the time asked for lies before its start.")
    if kept is None:
        return ExemplarsFound(request.id, ())
    snapshot = kept.snapshot()
    return await asyncio.to_thread(lambda: _answer(snapshot, request))


def _answer(kept: Snapshot, request: GetExemplars) -> ExemplarsFound:
    found: list[ExemplarInfo] = []
    for place, text in enumerate(request.exprs):
        try:
            sets = selected(parse(text))
        except ParseError:
            continue
        for series in found_in(kept, sets, request.start, request.end):
            rows = series.rows
            columns = (column.tolist() for column in (rows.times, rows.values, rows.traces, rows.spans, rows.labels))
            found += [
                ExemplarInfo(place, time, value, f"{high << 64 | low:032x}" if high or low else "", _hex(span), labels)
                for time, value, (high, low), span, labels in zip(*columns, strict=True)
            ]
    limit = max(1, min(request.limit, MOST))
    if len(found) <= limit:
        return ExemplarsFound(request.id, tuple(sorted(found, key=lambda one: one.time)))
    return ExemplarsFound(request.id, tuple(standing_out(found, request, limit)), len(found))


def standing_out(found: list[ExemplarInfo], request: GetExemplars, limit: int) -> list[ExemplarInfo]:
    """Of `limit` equal parts of the time the greatest values, by time."""
    times = np.array([one.time for one in found])
    width = (request.end - request.start) / limit or 1.0
    parts = np.clip((times - request.start) / width, 0, limit - 1).astype(np.int64)
    order = np.lexsort((np.array([one.value for one in found]), parts))
    last = np.ones(len(order), np.bool_)
    last[:-1] = parts[order][1:] != parts[order][:-1]
    return sorted((found[place] for place in order[last].tolist()), key=lambda one: one.time)


def _hex(span: int) -> str:
    return f"{span:016x}" if span else ""
