"""Datadog's spans as the columns that the collector keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np

from collector.receivers.datadog.details import packed
from collector.receivers.datadog.operations import MAX_NAME, bounded, kind_of, operation
from collector.receivers.datadog.payloads import Payload, Span
from collector.receivers.datadog.peers import Peers
from monitor.model.spans import Longs, Numbers, Spans, Status
from monitor.model.texts import TextTable

MAX_RESOURCE = 1024
MAX_AHEAD = 86_400
"""Seconds that a sender's clock may be ahead."""
_SECOND = 10**9
_YEAR_2000 = 946_684_800 * _SECOND
_LARGEST = 2**63 - 1
_MASK = 2**64 - 1
_UPPER_HALF = "_dd.p.tid"
_RATE = "_sample_rate"
_HEX = re.compile(r"[0-9a-fA-F]{16}")
_LEAST_RATE = 1e-9
_encode = msgspec.msgpack.Encoder().encode


class Converted(NamedTuple):
    """`refused`: spans left out because they or their trace have no id; `cut`: those that had too much beside the columns."""

    spans: Spans
    refused: int
    cut: int


class SpanConverter:
    """Makes columns of payloads; remembers peers from one to the next. To be used by one thread at a time."""

    def __init__(self) -> None:
        self._peers = Peers()

    def columns(self, payload: Payload, resource: Mapping[str, str], now: float) -> Converted:
        """All spans of a payload that came at `now` (seconds since the epoch). `resource` tells what the payload does not.

        The operation is the resource, or the name where that is empty. Of a trace's id the upper half comes with one span of
        each chunk (tag `_dd.p.tid`) and holds for all of them. As Datadog's agent does: a start before 2000 (or a day ahead)
        becomes `now` less the duration, an impossible duration 0; and a chunk's root tells the share of traces that were sent at
        all (`_sample_rate`: pkg/trace/stats/weight.go). `_dd.rule_psr` and `_dd.agent_psr` tell what is to be kept, not what was
        left out: rejected traces are sent too where `/info` does not offer to drop them.
        """
        shared = {name: bounded(value, MAX_RESOURCE) for name, value in {**resource, **payload.resource}.items()}
        common = msgspec.Raw(_encode(shared)) if shared else None
        table = TextTable()
        places, operations = _Places(table), _Operations(table)
        spans: list[Span] = []
        highs: list[int] = []
        counts: list[float] = []
        rows: list[tuple[int, int, int, int, int]] = []
        details: list[bytes] = []
        total = cut = 0
        for chunk in payload.chunks:
            upper, weights = _upper_halves(chunk), _weights(chunk)
            total += len(chunk)
            for span in chunk:
                if not (span.trace_id & _MASK and span.span_id & _MASK):
                    continue
                meta, span_type = span.meta, span.type or ""
                name, whole_name = operations[span.resource or span.name or "unnamed_operation", span_type]
                kind = kind_of(meta.get("span.kind") if meta else None, span_type)
                peer_kind, peer = self._peers.of(span, kind)
                spans.append(span)
                highs.append(upper.get(span.trace_id, 0))
                counts.append(weights.get(span.trace_id, 1.0) if weights else 1.0)
                rows.append((places[span.service or "unnamed-service"], name, kind, places[peer], peer_kind))
                detail, was_cut = packed(span, whole_name, common)
                details.append(detail)
                cut += was_cut
        services, names, kinds, peers, peer_kinds = np.array(rows, np.int32).reshape(-1, 5).T
        durations = _longs([span.duration for span in spans])
        starts = _longs([span.start for span in spans])
        durations = np.where((durations < 0) | (durations > _LARGEST - np.maximum(starts, 0)), 0, durations)
        arrived = int(now * _SECOND)
        impossible = (starts < _YEAR_2000) | (starts > arrived + MAX_AHEAD * _SECOND)
        columns = Spans(
            texts=table.texts(),
            traces=np.stack((_numbers(highs), _numbers([span.trace_id for span in spans])), axis=1),
            ids=_numbers([span.span_id for span in spans]),
            parents=_numbers([span.parent_id or 0 for span in spans]),
            starts=np.where(impossible, np.maximum(arrived - durations, 0), starts),
            durations=durations,
            services=services.copy(),
            names=names.copy(),
            kinds=kinds.astype(np.int8),
            statuses=np.array([Status.ERROR if span.error else Status.UNSET for span in spans], np.int8),
            peers=peers.copy(),
            peer_kinds=peer_kinds.astype(np.int8),
            details=details,
            counts=np.array(counts, np.float64),
        )
        return Converted(columns, total - len(spans), cut)


class _Places(dict[str, int]):
    """Where a sender's text stands in the table once it is made safe."""

    def __init__(self, table: TextTable) -> None:
        self._table = table

    def __missing__(self, raw: str) -> int:
        place = self[raw] = self._table.place(bounded(raw, MAX_NAME))
        return place


class _Operations(dict[tuple[str, str], tuple[int, str]]):
    """By resource and type: where the operation's name stands in the table, and the resource where that is not all of it."""

    def __init__(self, table: TextTable) -> None:
        self._table = table

    def __missing__(self, said: tuple[str, str]) -> tuple[int, str]:
        name = operation(*said)
        found = self[said] = (self._table.place(name), "" if name == said[0] else said[0])
        return found


def _upper_halves(chunk: list[Span]) -> dict[int, int]:
    """The upper 64 bits of the ids of a chunk's traces (nearly always one), by the lower."""
    found: dict[int, int] = {}
    for span in chunk:
        said = span.meta.get(_UPPER_HALF) if span.meta else None
        if said and _HEX.fullmatch(said):
            found[span.trace_id] = int(said, 16)
    return found


def _weights(chunk: list[Span]) -> dict[int, float]:
    """How many traces each of a chunk's stands for, where its root tells that some were left out."""
    found: dict[int, float] = {}
    for span in chunk:
        if span.metrics and _RATE in span.metrics and 0.0 < (rate := span.metrics[_RATE]) < 1.0:
            found[span.trace_id] = 1.0 / max(rate, _LEAST_RATE)
    return found


def _numbers(values: list[int]) -> Numbers:
    """uint64; ids that senders write as signed numbers, and those of JSON beyond 64 bits, modulo 2^64."""
    try:
        return np.array(values, np.uint64)
    except OverflowError:
        return np.array([value & _MASK for value in values], np.uint64)


def _longs(values: list[int]) -> Longs:
    """int64, the nearest where a value is beyond."""
    try:
        return np.array(values, np.int64)
    except OverflowError:
        return np.array([max(-_LARGEST - 1, min(value, _LARGEST)) for value in values], np.int64)
