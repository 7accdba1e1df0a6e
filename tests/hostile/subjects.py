"""Every receiver as something that is given one broken input after the other and says what it made of it."""

from __future__ import annotations

import base64
import gzip
import random
import socket
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

import cramjam

from collector.decompress import DecompressionError, decompress
from collector.query import QueryLimits, QueryService
from collector.receivers.datadog import DatadogReceiver
from collector.receivers.events import EventReceiver
from collector.receivers.otlp import OtlpReceiver
from collector.receivers.otlp.signals import SIGNALS
from collector.receivers.prometheus.exposition_parser import ExpositionParser, Parser
from collector.receivers.prometheus.limits import ExpositionError
from collector.receivers.prometheus.protobuf import ProtobufParser
from collector.receivers.pushgateway import PushReceiver
from collector.receivers.remote_write import RemoteWriteReceiver
from collector.receivers.remote_write.negotiation import Version
from collector.receivers.statsd.parser import Limits, StatsdParser
from collector.receivers.statsd.stream import StreamSource
from collector.server.prometheus import PrometheusApi
from monitor.wire import messages as m
from monitor.wire.codec import JSON as STREAM_JSON
from monitor.wire.codec import MSGPACK as STREAM_MSGPACK
from monitor.wire.codec import Codec, DecodeError
from tests.collector.server.prometheus.serving import FakeInfo, sample_history
from tests.hostile import mutation, seeds
from tests.hostile.asking import Application, Asked
from tests.hostile.behind import Behind
from tests.hostile.pieces import PROTOBUF_PIECES

Take = Callable[[random.Random], Awaitable[str]]
"""Makes an input, gives it to the receiver, and says what came of it."""
FINE = frozenset((200, 202, 204, 400, 404, 405, 413, 415, 422, 429, 503, 507))
"""Statuses a broken request may be answered with; what is a mistake of ours (500) is none."""


@dataclass(frozen=True)
class Subject:
    """`open` begins it in a folder of its own, with what stands behind receivers."""

    name: str
    open: Callable[[Behind], Iterator[Take]]


def _http(behind: Behind, routes: Sequence[object], make: Callable[[random.Random], Asked]) -> Take:
    app = Application(routes)  # type: ignore[arg-type]

    async def take(chance: random.Random) -> str:
        asked = make(chance)
        status = await app.ask(asked)
        assert status in FINE, f"{status} to {asked.method} {asked.path[:100]} {dict(asked.headers)} {asked.body[:2000]!r}"
        return str(status)

    return take


def _posting(path: str, make: mutation.Make, content_type: str, **headers: str) -> Callable[[random.Random], Asked]:
    told = {"Content-Type": content_type, **headers}
    return lambda chance: Asked("POST", path, make(chance), told)


def _otlp(signal: str, content_type: str) -> Subject:
    def begin(behind: Behind) -> Iterator[Take]:
        make = mutation.protobuf(seeds.OTLP[signal]) if content_type == seeds.PROTOBUF else mutation.json(seeds.OTLP_JSON[signal])
        yield _http(behind, OtlpReceiver(behind).routes(), _posting(f"/v1/{signal}", make, content_type))

    return Subject(f"otlp {signal} {'protobuf' if content_type == seeds.PROTOBUF else 'json'}", begin)


def _datadog(path: str, body: Sequence[bytes], content_type: str) -> Subject:
    def begin(behind: Behind) -> Iterator[Take]:
        make = mutation.msgpack(body) if content_type == seeds.MSGPACK else mutation.json(body)
        yield _http(behind, DatadogReceiver(behind).routes(), _posting(path, make, content_type))

    return Subject(f"datadog {path}{'' if content_type == seeds.MSGPACK else ' json'}", begin)


def _remote_write(version: Version) -> Subject:
    def begin(behind: Behind) -> Iterator[Take]:
        make = mutation.protobuf(seeds.WRITES[version])
        headers = {"Content-Encoding": "snappy", "Content-Type": f"application/x-protobuf;proto={version.value}"}

        def asked(chance: random.Random) -> Asked:
            body = bytes(cramjam.snappy.compress_raw(make(chance)))
            if chance.random() < 0.05:
                body = mutation.tampered(chance, body, [body], PROTOBUF_PIECES)
            return Asked("POST", "/api/v1/write", body, headers)

        yield _http(behind, RemoteWriteReceiver(behind).routes(), asked)

    return Subject(f"remote write {'1.0' if version is Version.V1 else '2.0'}", begin)


def _pushgateway(behind: Behind) -> Iterator[Take]:
    paths = mutation.text(seeds.GROUPS)
    bodies = {
        "text/plain": mutation.text(seeds.TEXT),
        "application/openmetrics-text": mutation.text(seeds.OPENMETRICS),
        seeds.FAMILIES: mutation.protobuf(seeds.EXPOSITION),
    }

    def asked(chance: random.Random) -> Asked:
        group = paths(chance) if chance.random() < 0.3 else chance.choice(seeds.GROUPS)
        if chance.random() < 0.1:
            group = b"job/x/l@base64/" + base64.urlsafe_b64encode(chance.randbytes(chance.randrange(8)))
        # As a client might write it: what is no part of a path escaped, or not at all.
        path = "/metrics/" + quote_from_bytes(group[:4000], safe="/@=" if chance.random() < 0.8 else "/@=%?#")
        kind = chance.choice(tuple(bodies))
        body = bodies[kind](chance) if chance.random() < 0.9 else chance.choice(seeds.TEXT)
        told = {"Content-Type": kind}
        return Asked(chance.choice(("PUT", "POST", "POST", "DELETE")), path, body, told)

    yield _http(behind, PushReceiver(behind, time.time).routes(), asked)


def _events(behind: Behind) -> Iterator[Take]:
    yield _http(behind, EventReceiver(behind).routes(), _posting("/api/v1/events", mutation.json(seeds.EVENTS), seeds.JSON))


def _query(behind: Behind) -> Iterator[Take]:
    service = QueryService(sample_history(), QueryLimits(timeout=5.0, max_samples=100_000))
    make = mutation.text(seeds.QUERIES)

    def asked(chance: random.Random) -> Asked:
        query = quote_from_bytes(make(chance)[:3000])
        moment = chance.choice((b"1700000000", b"now", b"-1", b"NaN", b"9" * 30, b"2023-11-14T22:13:20Z", b"", b"1e309")).decode()
        match chance.randrange(6):
            case 0:
                return Asked("GET", f"/api/v1/query?query={query}&time={moment}")
            case 1:
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                return Asked("POST", "/api/v1/query", f"query={query}&timeout={moment}".encode(), form)
            case 2:
                step = chance.choice(("15", "0", "-1", "1e-9", "5m", "NaN", "9" * 30))
                return Asked("GET", f"/api/v1/query_range?query={query}&start=1699999000&end={moment}&step={step}")
            case 3:
                return Asked("GET", f"/api/v1/series?match[]={query}&start={moment}&limit={moment}")
            case 4:
                return Asked("GET", f"/api/v1/label/{query[:200] or 'x'}/values?match[]={query}")
            case _:
                return Asked("GET", f"/api/v1/format_query?query={query}")

    yield _http(behind, PrometheusApi(service, FakeInfo(), clock=lambda: 1_700_000_000).routes(), asked)
    service.close()


def _remote_read(behind: Behind) -> Iterator[Take]:
    service = QueryService(sample_history(), QueryLimits(timeout=5.0, max_samples=100_000))
    make, told = mutation.protobuf(seeds.READS), {"Content-Encoding": "snappy", "Content-Type": seeds.PROTOBUF}

    def asked(chance: random.Random) -> Asked:
        return Asked("POST", "/api/v1/read", bytes(cramjam.snappy.compress_raw(make(chance))), told)

    yield _http(behind, PrometheusApi(service, FakeInfo(), clock=lambda: 1_700_000_000).routes(), asked)
    service.close()


def _parsed(behind: Behind, parser: Parser, make: mutation.Make) -> Take:
    async def take(chance: random.Random) -> str:
        try:
            samples = parser.parse(make(chance))
        except ExpositionError:
            return "refused"
        assert len(samples.ids) == len(samples.values)
        assert int(samples.ids.max(initial=-1)) < len(parser.series)
        return "read"

    return take


def _statsd(behind: Behind) -> Iterator[Take]:
    parser, make = StatsdParser(Limits()), mutation.text(seeds.STATSD)

    async def take(chance: random.Random) -> str:
        before = parser.counters.malformed
        behind.take(parser.feed([make(chance) for _ in range(chance.choice((1, 1, 1, 1, 1, 1, 1, 1, 1, 60)))], time.time()))
        behind.events(parser.take_events())
        return "refused in part" if parser.counters.malformed > before else "read"

    yield take


def _statsd_tcp(behind: Behind) -> Iterator[Take]:
    """Bytes of a stream, cut anywhere, put together again as lines."""
    parser, make = StatsdParser(Limits()), mutation.text(seeds.STATSD)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        source = StreamSource(listening, parser.limits.line)
        client = socket.create_connection(listening.getsockname())

        async def take(chance: random.Random) -> str:
            nonlocal client
            before = parser.counters.malformed
            if chance.random() < 0.01:
                client.close()
                client = socket.create_connection(listening.getsockname())
            said = make(chance) + chance.choice((b"\n", b"", b"\r\n"))
            client.sendall(said)
            source.wait(1.0 if said else 0.0)
            behind.take(parser.feed(source.read(), time.time()))
            behind.events(parser.take_events())
            return "refused in part" if parser.counters.malformed > before else "read"

        yield take
        client.close()
        source.close()


def _stream(encoding: str) -> Callable[[Behind], Iterator[Take]]:
    def begin(behind: Behind) -> Iterator[Take]:
        codec = Codec(encoding)
        told = [m.GetTrace(id=1, trace="0" * 32), m.FindTraces(id=2, service="api", error=True, limit=50), m.Resume(id=3)]
        good = [bytes(codec.encode(each)) for each in told]
        make = mutation.msgpack(good) if encoding == STREAM_MSGPACK else mutation.json(good)

        async def take(chance: random.Random) -> str:
            body = make(chance)
            try:
                codec.decode_request(body if encoding == STREAM_MSGPACK else body.decode("utf-8", "replace"))
            except DecodeError:
                return "refused"
            return "read"

        yield take

    return begin


def _unpacked(behind: Behind) -> Iterator[Take]:
    plain = b"".join(seeds.OTLP["metrics"])
    good = {
        "gzip": [gzip.compress(plain), gzip.compress(b"")],
        "deflate": [zlib.compress(plain)],
        "snappy": [bytes(cramjam.snappy.compress_raw(plain))],
    }

    async def take(chance: random.Random) -> str:
        encoding = chance.choice(tuple(good))
        body = mutation.tampered(chance, chance.choice(good[encoding]), good[encoding], PROTOBUF_PIECES)
        try:
            assert len(decompress(body, encoding, 1 << 20)) <= 1 << 20
        except DecompressionError:
            return "refused"
        return "read"

    yield take


def _scraped(name: str, parser: Callable[[], Parser], make: mutation.Make) -> Subject:
    def begin(behind: Behind) -> Iterator[Take]:
        yield _parsed(behind, parser(), make)

    return Subject(name, begin)


SUBJECTS: tuple[Subject, ...] = (
    Subject("statsd", _statsd),
    Subject("statsd tcp", _statsd_tcp),
    *(_otlp(signal.name, kind) for signal in SIGNALS for kind in (seeds.PROTOBUF, seeds.JSON)),
    *(_datadog(path, body, seeds.MSGPACK) for path, body in seeds.DATADOG.items()),
    _datadog("/v0.3/traces", seeds.DATADOG_JSON, seeds.JSON),
    *(_remote_write(version) for version in Version),
    Subject("pushgateway", _pushgateway),
    Subject("events", _events),
    _scraped("scrape text", lambda: ExpositionParser(openmetrics=False), mutation.text(seeds.TEXT)),
    _scraped("scrape openmetrics", lambda: ExpositionParser(openmetrics=True), mutation.text(seeds.OPENMETRICS)),
    _scraped("scrape protobuf", ProtobufParser, mutation.protobuf(seeds.EXPOSITION)),
    Subject("stream msgpack", _stream(STREAM_MSGPACK)),
    Subject("stream json", _stream(STREAM_JSON)),
    Subject("query api", _query),
    Subject("remote read", _remote_read),
    Subject("unpacking", _unpacked),
)


@contextmanager
def opened(subject: Subject, folder: Path) -> Iterator[tuple[Take, Behind]]:
    """The subject, ready to be given inputs."""
    behind = Behind(folder)
    running = subject.open(behind)
    try:
        yield next(running), behind
        next(running, None)
    finally:
        behind.close()
