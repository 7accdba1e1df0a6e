"""Senders as real ones are: each request goes again, the same to the byte, until it was taken."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Mapping

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.receivers.remote_write.negotiation import Version
from tests.collector.receivers.otlp.recording import pairs
from tests.collector.receivers.remote_write.written import encoded, labels, packed

PLACES = 5
"""Series of a request, so that one kept in part would be seen."""
SPANS_OF_A_TRACE = 200
PATIENCE = 5.0
PROTOBUF = {"Content-Type": "application/x-protobuf"}
WRITE = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
Make = Callable[[str, int, int], bytes]
"""The body of a request: of this sender, its number, and its time in milliseconds, which no other request of the sender has."""


class Sender(threading.Thread):
    """Numbers requests from 0 and sends one after the other until `finish()`; then all that were begun have been taken.

    `times`: milliseconds of each, by number. `answered`: how many were; `again`: attempts that failed; `slowest`: seconds of
    the slowest answer. `refused`: what was answered that is neither a yes nor a "come again".
    """

    def __init__(self, name: str, port: int, path: str, headers: Mapping[str, str], make: Make, pause: float = 0.0) -> None:
        super().__init__(name=name, daemon=True)
        self._port, self._path, self._headers, self._make, self._pause = port, path, dict(headers), make, pause
        self._stopping = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self.times: list[int] = []
        self.answered = self.again = 0
        self.slowest = 0.0
        self.refused: list[str] = []

    def run(self) -> None:
        while not self._stopping.wait(self._pause):
            self.times.append(max(time.time_ns() // 1_000_000, self.times[-1] + 1 if self.times else 0))
            body = self._make(self.name, len(self.times) - 1, self.times[-1])
            while not self._taken(body):
                self.again += 1
                time.sleep(0.02)
            self.answered += 1
        self._disconnect()

    def finish(self, seconds: float = 60.0) -> None:
        """Raises `AssertionError` when the last request is still not taken after so long."""
        self._stopping.set()
        self.join(seconds)
        assert not self.is_alive(), f"{self.name} is not answered"

    def _taken(self, body: bytes) -> bool:
        began = time.monotonic()
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            self._connection.request("POST", self._path, body, self._headers)
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self._disconnect()
            return False
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer.status not in (200, 204, 429, 503):
            self.refused.append(f"{answer.status} {said[:200]!r}")
        return answer.status in (200, 204)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def gauges(sender: str, number: int, at: int) -> bytes:
    """OTLP: `PLACES` series whose value is the request's number."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="sent_otlp")
    for place in range(PLACES):
        attributes = pairs({"sender": sender, "place": str(place)})
        metric.gauge.data_points.add(time_unix_nano=at * 1_000_000, as_double=float(number), attributes=attributes)
    return request.SerializeToString()


def written(sender: str, number: int, at: int) -> bytes:
    """Remote write: `PLACES` series whose value is the request's number."""
    names = [labels("sent_written", sender=sender, place=str(place)) for place in range(PLACES)]
    return packed(encoded(Version.V1, {name: [(at, float(number))] for name in names}))


def trace_of(sender: str, number: int) -> str:
    """The trace, in hex, that the spans of a request belong to."""
    return f"{sender.encode().hex():0>16}{number // SPANS_OF_A_TRACE + 1:016x}"[-32:]


def span_of(number: int) -> str:
    """The span's id in hex."""
    return f"{number + 1:016x}"


def spans(sender: str, number: int, at: int) -> bytes:
    """OTLP: one span."""
    request = ExportTraceServiceRequest()
    under = request.resource_spans.add()
    under.resource.attributes.extend(pairs({"service.name": sender}))
    under.scope_spans.add().spans.add(
        trace_id=bytes.fromhex(trace_of(sender, number)),
        span_id=bytes.fromhex(span_of(number)),
        name="work",
        start_time_unix_nano=at * 1_000_000,
        end_time_unix_nano=at * 1_000_000 + 1_000,
    )
    return request.SerializeToString()


def records(sender: str, number: int, at: int) -> bytes:
    """OTLP: one log record whose body is the request's number."""
    request = ExportLogsServiceRequest()
    under = request.resource_logs.add()
    under.resource.attributes.extend(pairs({"service.name": sender}))
    record = under.scope_logs.add().log_records.add(time_unix_nano=at * 1_000_000)
    record.body.string_value = str(number)
    return request.SerializeToString()
