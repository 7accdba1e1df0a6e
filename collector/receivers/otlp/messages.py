"""The classes of OTLP's messages: the published ones, and such as leave much packed (`schema`). Heavy to import."""

from __future__ import annotations

from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, message_factory
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_PACKED = (".opentelemetry.proto.common.v1.KeyValue", ".opentelemetry.proto.metrics.v1.Exemplar")
_NUMBERS = ("bucket_counts", "explicit_bounds")
"""Of explicit histograms: eight bytes a number, which numpy reads as they lie."""
_FILES = (
    common_pb2,
    resource_pb2,
    metrics_pb2,
    trace_pb2,
    logs_pb2,
    metrics_service_pb2,
    trace_service_pb2,
    logs_service_pb2,
)


def _leave_packed(message: Any) -> None:
    for field in message.field:
        if field.type_name in _PACKED or (message.name == "HistogramDataPoint" and field.name in _NUMBERS):
            field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
    for nested in message.nested_type:
        _leave_packed(nested)


def _pool() -> Any:
    pool = descriptor_pool.DescriptorPool()
    for module in _FILES:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            if message.name not in ("KeyValueList", "AnyValue", "ArrayValue"):
                _leave_packed(message)
        pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _pool()


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"opentelemetry.proto.{name}"))


PACKED = {
    "metrics": _message("collector.metrics.v1.ExportMetricsServiceRequest"),
    "traces": _message("collector.trace.v1.ExportTraceServiceRequest"),
    "logs": _message("collector.logs.v1.ExportLogsServiceRequest"),
}
"""Requests by the name of their signal, attributes, exemplars and explicit buckets left packed."""
REQUESTS = {
    "metrics": metrics_service_pb2.ExportMetricsServiceRequest,
    "traces": trace_service_pb2.ExportTraceServiceRequest,
    "logs": logs_service_pb2.ExportLogsServiceRequest,
}
RESPONSES = {
    "metrics": metrics_service_pb2.ExportMetricsServiceResponse,
    "traces": trace_service_pb2.ExportTraceServiceResponse,
    "logs": logs_service_pb2.ExportLogsServiceResponse,
}
KeyValue = common_pb2.KeyValue
HistogramDataPoint = metrics_pb2.HistogramDataPoint
Status = status_pb2.Status
Any_ = any_pb2.Any
Duration = duration_pb2.Duration
RetryInfo = error_details_pb2.RetryInfo
__all__ = [
    "PACKED",
    "REQUESTS",
    "RESPONSES",
    "Any_",
    "DecodeError",
    "Duration",
    "HistogramDataPoint",
    "KeyValue",
    "RetryInfo",
    "Status",
]
