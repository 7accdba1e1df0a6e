"""What could be written in a query: metrics with their kind and unit, label names and values; and what a query may ask."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

from collector.query import QueryService
from collector.server.backend import CommandError
from monitor.model.matchers import NAME_TAG, Matcher, SelectorError, parse_selector
from monitor.query.history import QueryError
from monitor.wire import messages as m

MAX_TEXT = 64 * 1024
MAX_FOUND = 500
LATELY = 86_400_000
"""Milliseconds: what had samples within the last day is offered."""


def check_query(request: m.Query) -> None:
    """Raises `CommandError` for numbers that make no query."""
    if not all(math.isfinite(number) for number in (request.start, request.end, request.step)):
        raise CommandError("start, end and step must be numbers of seconds")
    if request.step < 0 or 0 < request.step < 0.001:
        raise CommandError("step must be 0 (an instant) or at least a millisecond")
    if abs(request.end) > 1e11 or abs(request.start) > 1e11:
        raise CommandError("start and end are seconds since 1970, not milliseconds")


async def find(queries: QueryService, request: m.Find) -> dict[str, Any]:
    """The result of the reply. Raises `CommandError`."""
    limit = max(1, min(request.limit, MAX_FOUND))
    if request.what not in ("metrics", "labels", "values"):
        raise CommandError('what must be "metrics", "labels" or "values"')
    if len(request.selector) > MAX_TEXT or len(request.text) > MAX_TEXT:
        raise CommandError(f"selector and text have at most {MAX_TEXT:,} characters")
    now = int(time.time() * 1000)
    try:
        matchers = _matchers(request.selector)
        details: dict[str, str] = {}
        if request.what == "labels":
            names = await queries.label_names([matchers], now - LATELY, now)
        else:
            label = NAME_TAG if request.what == "metrics" else request.label
            names = await queries.label_values(label, [matchers], now - LATELY, now)
        if request.what == "metrics":
            known = await queries.metadata()
            details = {name: " ".join(filter(None, (known[name].type, known[name].unit))) for name in names if name in known}
    except QueryError as error:
        raise CommandError(str(error)) from None
    found = ranked(names, request.text)
    shown = [{"name": name, "detail": details.get(name, "")} for name in found[:limit]]
    return {"found": shown, "more": len(found) > limit}


def ranked(names: Iterable[str], text: str) -> list[str]:
    """Those that contain the text, whatever their case: first those that begin with it, then those with a word that does."""
    wanted = text.casefold()
    ranks = []
    for name in names:
        at = name.casefold().find(wanted)
        if at >= 0:
            ranks.append((0 if at == 0 else 1 if not name[at - 1].isalnum() else 2, name))
    return [name for _, name in sorted(ranks)]


def _matchers(selector: str) -> tuple[Matcher, ...]:
    try:
        return parse_selector(selector).matchers
    except SelectorError as error:
        raise CommandError(f"selector, column {error.column}: {error}") from None
