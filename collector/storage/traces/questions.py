"""What is asked of the store, checked: searches for traces and logs, and the ids of traces."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.model.matchers import Matcher, SelectorError, compile_pattern
from monitor.wire.tracing import FindLogs, FindTraces, Order

MAX_LIMIT = 1000
MAX_TEXT = 4096
MAX_TAGS = 32
_HEX = re.compile(r"[0-9a-fA-F]{1,32}")
FIRST, LAST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class TraceSearch:
    """Conditions that one span of a trace meets. Seconds; `start` and `end` bound its start, both included.

    `order` "newest": traces by their newest such span; "longest": by their duration.

    `text`: ASCII letters in any case. `tags`: over attributes and resource, attributes first; one that is absent counts as "".
    """

    service: str = ""
    operation: str = ""
    shortest: float = 0.0
    longest: float = math.inf
    error: bool = False
    text: str = ""
    tags: tuple[Matcher, ...] = ()
    start: float = -math.inf
    end: float = math.inf
    limit: int = 20
    order: Order = "newest"


@dataclass(frozen=True, slots=True)
class LogSearch:
    """Conditions of a log record. `after`: the cursor of an answer before; then records come in order of arrival.

    `skip`: of more than `limit` since then the newest are told, and the others counted.
    """

    service: str = ""
    severity: int = 0
    text: str = ""
    tags: tuple[Matcher, ...] = ()
    trace: str = ""
    start: float = -math.inf
    end: float = math.inf
    limit: int = 100
    after: int = 0
    skip: bool = False


def trace_search(request: FindTraces) -> TraceSearch:
    """Raises `ValueError` with a sentence."""
    _check(request.text, request.tags, request.start, request.end, request.shortest, request.longest)
    return TraceSearch(
        service=request.service,
        operation=request.operation,
        shortest=request.shortest,
        longest=request.longest or math.inf,
        error=request.error,
        text=request.text,
        tags=request.tags,
        start=request.start or -math.inf,
        end=request.end or math.inf,
        limit=_limit(request.limit),
        order=request.order,
    )


def log_search(request: FindLogs) -> LogSearch:
    """Raises `ValueError` with a sentence."""
    _check(request.text, request.tags, request.start, request.end)
    if request.trace:
        trace_number(request.trace)
    return LogSearch(
        service=request.service,
        severity=request.severity,
        text=request.text,
        tags=request.tags,
        trace=request.trace,
        start=request.start or -math.inf,
        end=request.end or math.inf,
        limit=_limit(request.limit),
        after=request.after,
        skip=request.skip,
    )


def trace_number(trace: str) -> npt.NDArray[np.uint64]:
    """uint64[1, 2] of an id in hex, 64 or 128 bits. Raises `ValueError` with a sentence."""
    text = trace.strip()
    if _HEX.fullmatch(text) is None or not int(text, 16):
        raise ValueError(f"{text[:40]!r} is no trace id: it has 16 or 32 hexadecimal digits and is not zero")
    number = int(text, 16)
    return np.array([[number >> 64, number & (1 << 64) - 1]], np.uint64)


def trace_text(high: int, low: int) -> str:
    """32 hex digits."""
    return f"{high:016x}{low:016x}"


def nanoseconds(seconds: float) -> int:
    """Rounded, and kept within int64."""
    if math.isinf(seconds):
        return LAST if seconds > 0 else FIRST
    return max(FIRST, min(LAST, round(seconds * 1e9)))


def span_of(start: float, end: float) -> tuple[int, int]:
    """Nanoseconds from the one to the other, both included, to the microsecond: seconds of today are no more exact than that."""
    return nanoseconds(start - 5e-7), nanoseconds(end + 5e-7)


def _check(text: str, tags: tuple[Matcher, ...], *numbers: float) -> None:
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError("times and durations must be numbers of seconds, 0 for any")
    if any(abs(number) > 1e11 for number in numbers):
        raise ValueError("times are seconds since 1970, not milliseconds or nanoseconds")
    if len(text) > MAX_TEXT or any(len(one.name) + len(one.value) > MAX_TEXT for one in tags):
        raise ValueError(f"texts and tags have at most {MAX_TEXT:,} characters")
    if len(tags) > MAX_TAGS:
        raise ValueError(f"at most {MAX_TAGS} tags can be asked for at once")
    for one in tags:
        if one.op in ("=~", "!~"):
            try:
                compile_pattern(one.value)
            except SelectorError as error:
                raise ValueError(f"tag {one.name[:100]}: {error}") from None


def _limit(limit: int) -> int:
    return max(1, min(limit, MAX_LIMIT))
