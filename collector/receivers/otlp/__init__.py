"""OpenTelemetry's protocol: metrics, traces and logs, over gRPC and over HTTP in protobuf and JSON."""

from collector.receivers.otlp.grpc_listener import OtlpGrpc
from collector.receivers.otlp.http_server import OtlpHttp
from collector.receivers.otlp.names import DEFAULT_RESOURCE_TAGS
from collector.receivers.otlp.receiver import OtlpReceiver

__all__ = ["DEFAULT_RESOURCE_TAGS", "OtlpGrpc", "OtlpHttp", "OtlpReceiver"]
