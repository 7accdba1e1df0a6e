"""Metrics, traces and logs: what each is called on the wire, and how its requests are answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2


@dataclass(frozen=True, slots=True)
class Signal:
    """One of the three. `left_out` is the field of its partial success that counts what was left out."""

    name: str
    path: str
    service: str
    request: type[Any]
    response: type[Any]
    left_out: str

    def answer(self, left_out: int, why: str) -> Any:
        """The response: a full success where nothing was left out."""
        response = self.response()
        if left_out:
            setattr(response.partial_success, self.left_out, left_out)
            response.partial_success.error_message = why
        return response


METRICS = Signal(
    "metrics",
    "/v1/metrics",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    metrics_service_pb2.ExportMetricsServiceRequest,
    metrics_service_pb2.ExportMetricsServiceResponse,
    "rejected_data_points",
)
TRACES = Signal(
    "traces",
    "/v1/traces",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    trace_service_pb2.ExportTraceServiceRequest,
    trace_service_pb2.ExportTraceServiceResponse,
    "rejected_spans",
)
LOGS = Signal(
    "logs",
    "/v1/logs",
    "opentelemetry.proto.collector.logs.v1.LogsService",
    logs_service_pb2.ExportLogsServiceRequest,
    logs_service_pb2.ExportLogsServiceResponse,
    "rejected_log_records",
)
SIGNALS = (METRICS, TRACES, LOGS)

INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE = 3, 8, 12, 13, 14
"""Of google.rpc.Code."""


def retry_info(seconds: float) -> Any:
    """`google.rpc.RetryInfo`."""
    nanoseconds = round(max(0.0, seconds) * 1e9)
    delay = duration_pb2.Duration(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)
    return error_details_pb2.RetryInfo(retry_delay=delay)


def status(code: int, why: str, retry_after: float | None = None) -> Any:
    """`google.rpc.Status`, with a `RetryInfo` where the sender should come again."""
    told = status_pb2.Status(code=code, message=why[:1000])
    if retry_after is not None:
        detail = any_pb2.Any()
        detail.Pack(retry_info(retry_after))
        told.details.append(detail)
    return told
