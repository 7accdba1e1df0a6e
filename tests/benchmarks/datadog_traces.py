"""What a million spans of Datadog's tracers cost from the body to columns, in CPU seconds, by version of the payload."""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from typing import Any

import msgspec

from collector.receivers.datadog.payloads import Payload, read_json, read_packed, read_traces
from collector.receivers.datadog.spans import SpanConverter
from tests.benchmarks.report import report

BAR, AIM = 15.0, 10.0
NOW = 1_700_000_000
HEADERS = {"telemetry.sdk.language": "python", "telemetry.sdk.version": "4.16.0"}
Trace = list[dict[str, Any]]


def traces(spans: int) -> list[Trace]:
    """Traces of nine spans such as a web shop's ddtrace sends: a request, its queries, its cache and its calls."""
    chance = random.Random(11)
    return [_trace(chance, number) for number in range(spans // 9)]


def _trace(chance: random.Random, number: int) -> Trace:
    trace, root = chance.getrandbits(64), chance.getrandbits(63) + 1
    begin = NOW * 10**9 + number * 1_000_000
    kept: Trace = []

    def add(name: str, service: str, resource: str, span_type: str, meta: dict[str, str], metrics: dict[str, float]) -> None:
        kept.append(
            {
                "trace_id": trace or 1,
                "span_id": root + len(kept),
                "parent_id": root if kept else 0,
                "service": service,
                "name": name,
                "resource": resource,
                "type": span_type,
                "start": begin + len(kept) * 1000,
                "duration": chance.randrange(10**5, 10**8),
                "error": int(chance.random() < 0.02),
                "meta": {"component": name.partition(".")[0], "env": "prod", "version": "1.4.2", "language": "python", **meta},
                "metrics": {"_dd.top_level": 1.0, "_dd.measured": 1.0, **metrics},
            }
        )

    http = {"http.method": "GET", "http.status_code": "200", "http.url": f"http://shop/items/{number}", "span.kind": "server"}
    own = {"_dd.p.tid": "6b059d7600000000", "_dd.p.dm": "-0", "runtime-id": "6b892e099b6c4989943be4b34eab5bdc"}
    add(
        "flask.request",
        "shop",
        f"GET /items/{number % 40}",
        "web",
        {**http, **own},
        {"process_id": 398.0, "_sampling_priority_v1": 1.0},
    )
    for place in range(4):
        query = f"SELECT * FROM items WHERE id = {chance.randrange(1000)} AND shelf = 'a{place}'"
        stored = {"span.kind": "client", "db.system": "postgresql", "db.name": "shop", "out.host": "db1", "db.user": "shop"}
        add("postgres.query", "shop-db", query, "sql", stored, {"network.destination.port": 5432.0, "db.row_count": 3.0})
    for _ in range(2):
        kept_in = {"span.kind": "client", "db.system": "redis", "out.host": "cache1", "redis.raw_command": f"GET item:{number}"}
        add(
            "redis.command", "shop-cache", "GET", "redis", kept_in, {"network.destination.port": 6379.0, "redis.args_length": 2.0}
        )
    for host in ("stock", "prices"):
        called = {**http, "span.kind": "client", "out.host": host, "peer.service": host}
        add("requests.request", "shop", f"GET /{host}", "http", called, {"network.destination.port": 80.0})
    return kept


def packed(chunks: list[Trace]) -> bytes:
    """The same in v0.5."""
    places: dict[str, int] = {"": 0}

    def place(text: str) -> int:
        return places.setdefault(text, len(places))

    def row(span: dict[str, Any]) -> list[Any]:
        texts = [place(span[name]) for name in ("service", "name", "resource")]
        numbers = [span[name] for name in ("trace_id", "span_id", "parent_id", "start", "duration", "error")]
        meta = {place(name): place(value) for name, value in span["meta"].items()}
        return [*texts, *numbers, meta, {place(name): value for name, value in span["metrics"].items()}, place(span["type"])]

    rows = [[row(span) for span in chunk] for chunk in chunks]
    return msgspec.msgpack.encode([list(places), rows])


def cost(read: Callable[[bytes], Payload], body: bytes, rounds: int) -> float:
    """CPU seconds per million spans; the best of the rounds."""
    converter = SpanConverter()
    found = []
    for _ in range(rounds):
        busy = time.process_time()
        columns = converter.columns(read(body), HEADERS, NOW + 60.0).spans
        found.append((time.process_time() - busy) / len(columns) * 1e6)
    return round(min(found), 2)


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=9000, help="of one request")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    chunks = traces(arguments.spans)
    plain = msgspec.msgpack.encode(chunks)
    result = {
        "cpu_s_per_million": cost(read_traces, plain, arguments.rounds),
        "v05": cost(read_packed, packed(chunks), arguments.rounds),
        "json": cost(read_json, msgspec.json.encode(chunks), arguments.rounds),
        "bytes_a_span": round(len(plain) / arguments.spans),
    }
    report("datadog_traces", result, {"cpu_s_per_million": (BAR, AIM), "v05": (BAR, AIM)})


if __name__ == "__main__":
    main()
