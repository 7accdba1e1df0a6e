"""Metrics, traces and logs: what each is called on the wire, and how requests are answered. Messages load at first use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Signal:
    """One of the three. `left_out` is the field of its partial success that counts what was left out."""

    name: str
    path: str
    service: str
    left_out: str

    @property
    def request(self) -> type[Any]:
        """The published class of its requests."""
        from collector.receivers.otlp.messages import REQUESTS

        return REQUESTS[self.name]

    def answer(self, left_out: int, why: str) -> Any:
        """The response: a full success where nothing was left out."""
        from collector.receivers.otlp.messages import RESPONSES

        response: Any = RESPONSES[self.name]()
        if left_out:
            setattr(response.partial_success, self.left_out, left_out)
            response.partial_success.error_message = why
        return response


METRICS = Signal(
    "metrics",
    "/v1/metrics",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "rejected_data_points",
)
TRACES = Signal(
    "traces",
    "/v1/traces",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    "rejected_spans",
)
LOGS = Signal(
    "logs",
    "/v1/logs",
    "opentelemetry.proto.collector.logs.v1.LogsService",
    "rejected_log_records",
)
SIGNALS = (METRICS, TRACES, LOGS)

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 3, 8, 12, 13, 14
"""Of google.rpc.Code."""


def retry_info(seconds: float) -> Any:
    """`google.rpc.RetryInfo`."""
    from collector.receivers.otlp.messages import Duration, RetryInfo

    nanoseconds = round(max(0.0, seconds) * 1e9)
    delay = Duration(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)
    return RetryInfo(retry_delay=delay)


def status(code: int, why: str, retry_after: float | None = None) -> Any:
    """`google.rpc.Status`, with a `RetryInfo` where the sender should come again."""
    from collector.receivers.otlp.messages import Any_, Status

    told = Status(code=code, message=why[:1000])
    if retry_after is not None:
        detail = Any_()
        detail.Pack(retry_info(retry_after))
        told.details.append(detail)
    return told
