"""What a collector exports to: servers of our own that can be away, can say "not now", and keep what they were given in order."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import re
import socket
import threading
from collections.abc import Callable
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.decompress import decompress
from collector.protobuf.write import decode_write_v1
from tests.killing.ports import lasting_port

MOST = 64 << 20


class Arrived:
    """Numbers by series, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.numbers: dict[str, list[int]] = {}

    def add(self, series: str, number: float) -> None:
        with self._lock:
            self.numbers.setdefault(series, []).append(round(number))

    def newest(self, series: str) -> int:
        with self._lock:
            return max(self.numbers.get(series, [-1]))

    def has(self, series: str, count: int) -> bool:
        """Whether all of 0 … count - 1 are there."""
        with self._lock:
            return len(set(self.numbers.get(series, ()))) >= count


class HttpTarget:
    """Listens while `up`; answers 503 while `refusing`. `take` is given the path and the body, unpacked."""

    def __init__(self, take: Callable[[str, bytes], None]) -> None:
        self.port = lasting_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.refusing = False
        self.requests = self.refused = 0
        self.mistakes: list[str] = []
        self._take = take
        self._server: http.server.ThreadingHTTPServer | None = None

    def up(self) -> None:
        target = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                target._answer(self)

            do_PUT = do_POST  # noqa: N815  # the library's name

            def log_message(self, *_: Any) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def down(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        status = 503
        if self.refusing or self._server is None:  # a connection of before outlives its server
            self.refused += 1
        else:
            try:
                encoding = request.headers.get("Content-Encoding", "")
                self._take(request.path, gzip.decompress(body) if encoding == "gzip" else decompress(body, encoding, MOST))
                self.requests, status = self.requests + 1, 200
            except Exception as error:
                self.mistakes.append(f"{request.path}: {error!r}")
                status = 400
        with contextlib.suppress(OSError):
            request.send_response(status)
            request.send_header("Content-Length", "0")
            request.end_headers()


def write_target(into: Arrived) -> HttpTarget:
    """Of remote write 1.0; series are called `sender/place`."""

    def take(_: str, body: bytes) -> None:
        columns = decode_write_v1(body)
        for place, names in enumerate(columns.labels):
            labels = dict(names)
            for at in range(int(columns.offsets[place]), int(columns.offsets[place + 1])):
                into.add(f"{labels['sender']}/{labels['place']}", float(columns.values[at]))

    return HttpTarget(take)


def otlp_target(into: Arrived) -> HttpTarget:
    """Of OTLP over HTTP; spans and records are called by their service, metrics `sender/place`."""

    def take(path: str, body: bytes) -> None:
        if path == "/v1/metrics":
            for metrics in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for metric in (one for scope in metrics.scope_metrics for one in scope.metrics):
                    for point in metric.gauge.data_points:
                        named = {pair.key: pair.value.string_value for pair in point.attributes}
                        into.add(f"{named['sender']}/{named['place']}", point.as_double)
        elif path == "/v1/traces":
            for traced in ExportTraceServiceRequest.FromString(body).resource_spans:
                for span in (one for scope in traced.scope_spans for one in scope.spans):
                    into.add(traced.resource.attributes[0].value.string_value, int.from_bytes(span.span_id, "big") - 1)
        else:
            for logged in ExportLogsServiceRequest.FromString(body).resource_logs:
                for record in (one for scope in logged.scope_logs for one in scope.log_records):
                    into.add(logged.resource.attributes[0].value.string_value, int(record.body.string_value))

    return HttpTarget(take)


def pushgateway_target(into: Arrived) -> HttpTarget:
    """Keeps what the newest push says of each series."""
    sample = re.compile(rb"^sent_\w+\{([^}]*)\} (\S+)", re.MULTILINE)

    def take(_: str, body: bytes) -> None:
        for labels, value in sample.findall(body):
            named = dict(re.findall(r'(\w+)="([^"]*)"', labels.decode()))
            into.add(f"{named['sender']}/{named['place']}", float(value))

    return HttpTarget(take)


class LineTarget:
    """A StatsD server over TCP: gauges as `name;sender=…;place=…:value|g`."""

    def __init__(self, into: Arrived) -> None:
        self.port = lasting_port()
        self._into = into
        self._listening: socket.socket | None = None
        self._clients: set[socket.socket] = set()

    def up(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def down(self) -> None:
        if self._listening is not None:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for client in list(self._clients):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                self._clients.add(client)
                threading.Thread(target=self._read, args=(client,), daemon=True).start()

    def _read(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as lines, contextlib.suppress(OSError):
            for line in lines:
                head, _, rest = line.decode().partition(":")
                _, *tags = head.split(";")
                named = dict(tag.split("=", 1) for tag in tags)
                if "place" in named:
                    self._into.add(f"{named['sender']}/{named['place']}", float(rest.partition("|")[0]))
        self._clients.discard(client)
