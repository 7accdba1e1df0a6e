"""OTLP's own messages with attributes left packed: a point's attributes are then bytes, which a dictionary can look up at once.

On the wire a message within a message is a length and bytes, so `repeated KeyValue attributes` may be read as `repeated bytes`.
The rest of the schema is the published one.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_PACKED = (".opentelemetry.proto.common.v1.KeyValue", ".opentelemetry.proto.metrics.v1.Exemplar")
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


class UnreadableError(ValueError):
    """A request that is not what it says it is; the message tells why."""


def _leave_packed(message: Any) -> None:
    for field in message.field:
        if field.type_name in _PACKED:
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


_METRICS = _message("collector.metrics.v1.ExportMetricsServiceRequest")
_TRACES = _message("collector.trace.v1.ExportTraceServiceRequest")
_LOGS = _message("collector.logs.v1.ExportLogsServiceRequest")


def _parsed(kind: Any, data: bytes) -> Any:
    try:
        return kind.FromString(data)
    except DecodeError as error:
        raise UnreadableError(f"not a protobuf {kind.DESCRIPTOR.name}: {error}") from None


def metrics_request(data: bytes) -> Any:
    """`ExportMetricsServiceRequest`. Raises `UnreadableError`."""
    return _parsed(_METRICS, data)


def traces_request(data: bytes) -> Any:
    """`ExportTraceServiceRequest`. Raises `UnreadableError`."""
    return _parsed(_TRACES, data)


def logs_request(data: bytes) -> Any:
    """`ExportLogsServiceRequest`. Raises `UnreadableError`."""
    return _parsed(_LOGS, data)
