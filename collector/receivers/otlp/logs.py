"""From a logs request to records as columns. It knows no socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from collector.receivers.otlp.attributes import Attributes, map_head, packed_pairs, text_of
from collector.receivers.otlp.counters import LeftOut, OtlpCounters
from collector.receivers.otlp.identity import NOWHERE, TraceContext, context_in
from collector.receivers.otlp.limits import MOST_ATTRIBUTES, MOST_BODY, MOST_NAME, MOST_POINTS
from collector.receivers.otlp.schema import logs_request
from collector.receivers.otlp.traces import LAST_NANOSECOND, service_of, shared_details
from monitor.model.logs import Logs
from monitor.model.texts import TextTable

EVENT_NAME = "event.name"
_SEVERITIES = {
    "TRACE": 1,
    "DEBUG": 5,
    "INFO": 9,
    "INFORMATION": 9,
    "NOTICE": 10,
    "WARN": 13,
    "WARNING": 13,
    "ERROR": 17,
    "ERR": 17,
    "CRITICAL": 21,
    "FATAL": 21,
    "EMERGENCY": 24,
}
"""What a record that has only a text is taken for."""
_MOST_SEVERITY = 24
_pack = msgspec.msgpack.Encoder().encode


class LogsReader:
    """Reads requests. `clock` stamps records that have no time."""

    def __init__(self, attributes: Attributes, counters: OtlpCounters, clock: Callable[[], float]) -> None:
        self._attributes, self._counters, self._clock = attributes, counters, clock

    def read(self, data: bytes) -> tuple[Logs, LeftOut]:
        """Of an `ExportLogsServiceRequest`. Raises `UnreadableError`."""
        request = logs_request(data)
        one = _Columns(int(self._clock() * 1e9))
        for resource in request.resource_logs:
            service = one.texts.place(service_of(self._attributes.mapped(resource.resource.attributes)))
            for scope in resource.scope_logs:
                shared = shared_details(self._attributes, resource.resource, scope.scope)
                records = scope.log_records
                room = MOST_POINTS - len(one.times)
                if len(records) > room:
                    one.left_out.add(f"more than {MOST_POINTS} records in one request", len(records) - room)
                    records = records[:room]
                for record in records:
                    self._take(one, record, service, shared)
        return one.logs(), one.left_out

    def _take(self, one: _Columns, record: Any, service: int, shared: list[bytes]) -> None:
        time = record.time_unix_nano or record.observed_time_unix_nano or one.now
        if time > LAST_NANOSECOND:
            one.left_out.add("a record's time is beyond the year 2262")
            return
        found = self._attributes.all_decoded(record.attributes)
        packed = [each.packed for each in found]
        if record.event_name and len(packed) < MOST_ATTRIBUTES and all(each.key != EVENT_NAME for each in found):
            packed.append(_pack(EVENT_NAME) + _pack(self._cut(record.event_name, MOST_NAME)))
        body = self._attributes.value(record.body, longest=MOST_BODY)
        context = _told(record)
        if context is NOWHERE:
            context = context_in({each.key: each.value for each in found})
        if context is NOWHERE:
            context = context_in(_structure(body))
        severity, written = record.severity_number, self._cut(record.severity_text, MOST_NAME)
        if not 0 < severity <= _MOST_SEVERITY:
            severity = _SEVERITIES.get(written.strip().upper(), 0)
        packed_attributes = map_head(len(packed)) + b"".join(packed) if packed else b""
        own = packed_pairs((("attributes", packed_attributes), ("severity", _pack(written) if written else b"")))
        one.times.append(time)
        one.severities.append(severity)
        one.services.append(service)
        one.traces.append((context.high, context.low))
        one.spans.append(context.span)
        one.bodies.append(self._cut(text_of(body) or record.event_name, MOST_BODY))
        one.details.append(map_head(len(own) + len(shared)) + b"".join((*own, *shared)))

    def _cut(self, text: str, size: int) -> str:
        if len(text) <= size:
            return text
        self._counters.cut += 1
        return text[:size]


class _Columns:
    """Records of one request while it is read."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.texts = TextTable()
        self.times: list[int] = []
        self.severities: list[int] = []
        self.services: list[int] = []
        self.traces: list[tuple[int, int]] = []
        self.spans: list[int] = []
        self.bodies: list[str] = []
        self.details: list[bytes] = []
        self.left_out = LeftOut()

    def logs(self) -> Logs:
        return Logs(
            self.texts.texts(),
            np.array(self.times, np.int64),
            np.array(self.severities, np.int8),
            np.array(self.services, np.int32),
            np.array(self.traces, np.uint64).reshape(-1, 2),
            np.array(self.spans, np.uint64),
            self.bodies,
            self.details,
        )


def _told(record: Any) -> TraceContext:
    """By the record's own fields; an id that is not of its length tells nothing."""
    trace, span = record.trace_id, record.span_id
    if len(trace) != 16 or not any(trace):
        return NOWHERE
    return TraceContext(
        int.from_bytes(trace[:8], "big"), int.from_bytes(trace[8:], "big"), int.from_bytes(span, "big") if len(span) == 8 else 0
    )


def _structure(body: Any) -> Mapping[str, Any]:
    """A body that is a map, or the text of one that may tell a trace."""
    if isinstance(body, str) and body[:1] == "{" and ("trace" in body):
        try:
            body = msgspec.json.decode(body)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return {}
    return body if isinstance(body, dict) else {}
