"""Exemplars of the demonstration's latencies: the slowest request of a few seconds, with its trace."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

import msgspec

from monitor.query.history import ParseError
from monitor.query.parse import parse
from monitor.query.tree import selected
from monitor.wire import messages as m
from ui.client.fake_traces_shop import PACE, made

EVERY = 30.0
"""Seconds of which the slowest is told."""
KEPT = 3600.0


def answer_exemplars(now: float, asked: m.GetExemplars, told: bool = True) -> m.ExemplarsFound:
    """Of expressions that name a latency of a service; `told` False: nobody sends traces."""
    found: list[m.ExemplarInfo] = []
    for place, text in enumerate(asked.exprs if told else ()):
        service = _service(text)
        if service:
            found += _of(service, place, max(asked.start, now - KEPT), min(asked.end, now - 4.0))
    each = math.ceil(len(found) / max(1, asked.limit)) or 1
    told_each = sorted(found, key=lambda one: one.time)[::each]
    return m.ExemplarsFound(asked.id, tuple(told_each), len(found) if each > 1 else 0)


def _service(text: str) -> str:
    try:
        sets = selected(parse(text))
    except ParseError:
        return ""
    named = {matcher.name: matcher.value for matchers in sets for matcher in matchers}
    return named.get("service", "") if "latency" in named.get("__name__", "") else ""


def _of(service: str, place: int, start: float, end: float) -> Iterator[m.ExemplarInfo]:
    for part in range(int(start / EVERY), int(end / EVERY)):
        slowest = _slowest(part).get(service)
        if slowest is not None and start <= slowest.time <= end:
            yield msgspec.structs.replace(slowest, asked=place)


@functools.lru_cache(maxsize=512)
def _slowest(part: int) -> dict[str, m.ExemplarInfo]:
    """Of each service the slowest of its spans that ended in a part of the time."""
    best: dict[str, m.ExemplarInfo] = {}
    for number in range(int(part * EVERY / PACE) + 1, int((part + 1) * EVERY / PACE) + 1):
        request = made(number)
        for span in request.spans:
            failed = (("error", "true"),) if span.status == "error" else ()
            labels = (*failed, ("operation", span.operation))
            one = m.ExemplarInfo(0, span.start + span.duration, span.duration * 1000, request.trace, span.span, labels)
            if span.service not in best or best[span.service].value < one.value:
                best[span.service] = one
    return best
