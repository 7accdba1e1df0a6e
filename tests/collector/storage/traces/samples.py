"""Spans and logs for tests as plain rows, and slow references of what the store answers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from collector.storage.traces.questions import LogSearch, TraceSearch
from monitor.model.logs import Logs
from monitor.model.matchers import Matcher
from monitor.model.spans import Spans
from monitor.model.texts import TextTable
from monitor.wire.tracing import TraceSummary

NOW = 1_764_000_000.0
BASE = int(NOW) * 1_000_000_000


@dataclass(frozen=True)
class Row:
    """One span. `start` and `duration` in milliseconds, from `BASE` on."""

    trace: tuple[int, int]
    id: int
    parent: int = 0
    start: int = 0
    duration: int = 0
    service: str = "web"
    name: str = "GET /"
    kind: int = 2
    status: int = 0
    detail: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class LogRow:
    """One log record. `time` in milliseconds from `BASE` on."""

    time: int
    body: str = ""
    severity: int = 9
    service: str = "web"
    trace: tuple[int, int] = (0, 0)
    span: int = 0
    detail: dict[str, Any] = field(default_factory=dict, hash=False)


def spans_of(rows: Sequence[Row]) -> Spans:
    table = TextTable()
    return Spans(
        traces=np.array([row.trace for row in rows], np.uint64).reshape(len(rows), 2),
        ids=np.array([row.id for row in rows], np.uint64),
        parents=np.array([row.parent for row in rows], np.uint64),
        starts=np.array([BASE + row.start * 1_000_000 for row in rows], np.int64),
        durations=np.array([row.duration * 1_000_000 for row in rows], np.int64),
        services=np.array([table.place(row.service) for row in rows], np.int32),
        names=np.array([table.place(row.name) for row in rows], np.int32),
        kinds=np.array([row.kind for row in rows], np.int8),
        statuses=np.array([row.status for row in rows], np.int8),
        peers=np.zeros(len(rows), np.int32),
        peer_kinds=np.zeros(len(rows), np.int8),
        details=[msgspec.msgpack.encode(row.detail) if row.detail else b"" for row in rows],
        texts=table.texts(),
    )


def logs_of(rows: Sequence[LogRow]) -> Logs:
    table = TextTable()
    return Logs(
        times=np.array([BASE + row.time * 1_000_000 for row in rows], np.int64),
        severities=np.array([row.severity for row in rows], np.int8),
        services=np.array([table.place(row.service) for row in rows], np.int32),
        traces=np.array([row.trace for row in rows], np.uint64).reshape(len(rows), 2),
        spans=np.array([row.span for row in rows], np.uint64),
        bodies=[row.body for row in rows],
        details=[msgspec.msgpack.encode(row.detail) if row.detail else b"" for row in rows],
        texts=table.texts(),
    )


def hex_of(trace: tuple[int, int]) -> str:
    return f"{trace[0]:016x}{trace[1]:016x}"


def naive_search(rows: Sequence[Row], search: TraceSearch) -> list[TraceSummary]:
    """What `TraceStore.search` answers, by looking at every span."""
    kept = list({(row.trace, row.id, row.start, row.kind): row for row in reversed(rows)}.values())
    newest: dict[tuple[int, int], int] = {}
    for row in rows:
        if _meets(row, search):
            newest[row.trace] = max(newest.get(row.trace, row.start), row.start)
    told = {trace: _summary(trace, [row for row in kept if row.trace == trace]) for trace in newest}
    if search.order == "longest":
        return sorted(told.values(), key=lambda one: (-one.duration, one.trace))[: search.limit]
    return [told[trace] for trace in sorted(newest, key=lambda trace: (-newest[trace], trace))[: search.limit]]


def naive_logs(rows: Sequence[LogRow], search: LogSearch) -> list[LogRow]:
    """What `TraceStore.logs` answers; rows of one millisecond, the one that came last first."""
    found = [(row.time, at, row) for at, row in enumerate(rows) if _log_meets(row, search)]
    return [row for _, _, row in sorted(found, key=lambda each: each[:2], reverse=True)][: search.limit]


def _summary(trace: tuple[int, int], rows: list[Row]) -> TraceSummary:
    rows = sorted(rows, key=lambda row: (row.start, row.id, row.kind))
    ids = {row.id for row in rows}
    roots = [row for row in rows if not row.parent]
    root = (roots or [row for row in rows if row.parent not in ids] or rows)[0]
    first, end = rows[0].start, max(row.start + row.duration for row in rows)
    return TraceSummary(
        trace=hex_of(trace),
        service=root.service,
        operation=root.name,
        start=(BASE + first * 1_000_000) / 1e9,
        duration=(end - first) * 1_000_000 / 1e9,
        spans=len(rows),
        errors=sum(row.status == 2 for row in rows),
        services=tuple(sorted({row.service for row in rows})),
        rootless=not roots,
    )


def _meets(row: Row, search: TraceSearch) -> bool:
    at, length = NOW + row.start / 1000, row.duration / 1000
    return (
        search.service in ("", row.service)
        and search.operation in ("", row.name)
        and (search.shortest <= 0 or length >= search.shortest)
        and (math.isinf(search.longest) or length <= search.longest)
        and (not search.error or row.status == 2)
        and search.start <= at <= search.end
        and _tagged(row.detail, search.tags)
        and _with_text(row.detail, row.name, search.text)
    )


def _log_meets(row: LogRow, search: LogSearch) -> bool:
    return (
        search.service in ("", row.service)
        and row.severity >= search.severity
        and search.start <= NOW + row.time / 1000 <= search.end
        and (not search.trace or of_trace(row, search.trace))
        and _tagged(row.detail, search.tags)
        and _with_text(row.detail, row.body, search.text)
    )


def _tagged(detail: dict[str, Any], tags: Sequence[Matcher]) -> bool:
    both = {**detail.get("resource", {}), **{n: v for n, v in detail.get("attributes", {}).items() if v is not None}}
    return all(one.test(_told(both.get(one.name))) for one in tags)


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and abs(value) < 1e15 and value == int(value):
        return str(int(value))
    if isinstance(value, list | dict):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return "" if value is None else str(value)


def _with_text(detail: dict[str, Any], head: str, text: str) -> bool:
    wanted = _lowered(text)
    strings = [head, detail.get("message", "")]
    numbers: list[int] = []
    waiting: list[Any] = [*detail.get("attributes", {}).values(), *detail.get("events", [])]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            strings.append(value)
        elif isinstance(value, int) and not isinstance(value, bool):
            numbers.append(value)
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return any(wanted in _lowered(one) for one in strings) or any(str(number) == text for number in numbers)


def _lowered(text: str) -> str:
    return "".join(chr(ord(each) + 32) if "A" <= each <= "Z" else each for each in text)


def of_trace(row: LogRow, trace: str) -> bool:
    """By the whole id, or by its lower half alone, which is all that some loggers write."""
    return hex_of(row.trace) == trace or (any(row.trace) and row.trace[0] == 0 and hex_of(row.trace)[16:] == trace[16:])
