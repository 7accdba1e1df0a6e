"""What the store of spans costs: CPU seconds a million spans taken in and merged, bytes a span, milliseconds a search.

An hour of a million spans as a web shop's services send them, a thousand a commit. The clock is the data's.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np

from collector.storage.traces.questions import TraceSearch, trace_text
from collector.storage.traces.settings import TraceSettings
from collector.storage.traces.store import TraceStore
from monitor.model.matchers import Matcher
from monitor.model.spans import Spans
from monitor.model.texts import TextTable
from tests.benchmarks.report import Bars, report

START = 1_764_000_000_000_000_000
SECOND = 1_000_000_000
SERVICES, OPERATIONS, DEPTH = 20, 12, 10
BARS: Bars = {
    "take_cpu_s_per_million": (4.0, None),
    "by_service_and_duration_ms": (200, None),
    "by_trace_id_ms": (20, None),
}


def spans_of(count: int, seconds: int, per_commit: float) -> Iterator[Spans]:
    """`count` spans of traces of ten, spread over `seconds`, as many batches as commits of `per_commit` seconds."""
    chance = np.random.default_rng(7)
    table = TextTable()
    services = np.array([table.place(f"shop-{number}") for number in range(SERVICES)], np.int32)
    names = np.array([table.place(f"GET /api/v1/thing-{number}/{{id}}") for number in range(OPERATIONS * SERVICES)], np.int32)
    batches = int(seconds / per_commit)
    each = count // batches // DEPTH
    for batch in range(batches):
        n = each * DEPTH
        traces = np.repeat(chance.integers(1, 1 << 63, (each, 2), np.uint64), DEPTH, axis=0)
        ids = chance.integers(1, 1 << 63, n, np.uint64)
        parents = np.where(np.arange(n) % DEPTH == 0, 0, np.roll(ids, 1)).astype(np.uint64)
        begin = START + int(batch * per_commit * SECOND)
        starts = np.repeat(begin + np.sort(chance.integers(0, int(per_commit * SECOND), each)), DEPTH)
        starts += np.tile(np.arange(DEPTH) * 1_000_003, each)
        service = chance.integers(0, SERVICES, n)
        yield Spans(
            texts=table.texts(),
            traces=traces,
            ids=ids,
            parents=parents,
            starts=starts,
            durations=chance.lognormal(15, 1.5, n).astype(np.int64),
            services=services[service],
            names=names[service * OPERATIONS + chance.integers(0, OPERATIONS, n)],
            kinds=chance.integers(1, 4, n).astype(np.int8),
            statuses=(2 * (chance.random(n) < 0.01)).astype(np.int8),
            peers=np.zeros(n, np.int32),
            peer_kinds=np.zeros(n, np.int8),
            details=[_detail(number) for number in chance.integers(0, 1 << 40, n).tolist()],
        )


def _detail(number: int) -> bytes:
    return msgspec.msgpack.encode(
        {
            "attributes": {
                "http.request.method": "GET" if number % 3 else "POST",
                "http.response.status_code": (200, 200, 200, 404, 500)[number % 5],
                "url.path": f"/api/v1/orders/{number % 1_000_003}",
                "client.address": f"10.{number % 251}.{number % 241}.{number % 239}",
                "user.id": f"u-{number % 999_983}",
            },
            "resource": {
                "service.name": f"shop-{number % SERVICES}",
                "host.name": f"web{number % 16:02d}",
                "k8s.pod.name": f"shop-{number % SERVICES}-{number % 61:06x}",
                "telemetry.sdk.language": "python",
                "telemetry.sdk.version": "1.45.2",
            },
            "scope": {"name": "opentelemetry.instrumentation.aiohttp"},
        }
    )


def latency(ask: Callable[[], object], rounds: int = 7) -> float:
    """Median milliseconds."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - began) * 1000)
    return round(sorted(taken)[len(taken) // 2], 2)


def asked(store: TraceStore, trace: str) -> dict[str, Callable[[], object]]:
    """Searches by their names."""
    tags = (Matcher("user.id", "=", "u-4711"),)
    return {
        "by_service_and_duration_ms": lambda: store.search(TraceSearch(service="shop-3", shortest=0.2)),
        "by_rare_duration_ms": lambda: store.search(TraceSearch(service="shop-3", shortest=2.0)),
        "errors_of_operation_ms": lambda: store.search(
            TraceSearch(service="shop-3", operation="GET /api/v1/thing-40/{id}", error=True)
        ),
        "by_trace_id_ms": lambda: store.trace(trace),
        "by_rare_tag_ms": lambda: store.search(TraceSearch(tags=tags)),
        "by_absent_text_ms": lambda: store.search(TraceSearch(text="no such text")),
        "longest_ms": lambda: store.search(TraceSearch(order="longest", limit=200)),
        "services_ms": store.services,
    }


def main() -> None:
    """Print one JSON line. `cold_…`: with no unpacked columns kept, as the first search after a start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--commit", type=int, default=1000, help="spans a commit")
    arguments = parser.parse_args()
    folder, now = Path(tempfile.mkdtemp(prefix="traces")), [START / SECOND]
    store = TraceStore(folder, TraceSettings(), clock=lambda: now[0])
    took = merged = 0.0
    count, per_commit, example = 0, arguments.commit * arguments.seconds / arguments.spans, np.zeros(2, np.uint64)
    try:
        for number, spans in enumerate(spans_of(arguments.spans, arguments.seconds, per_commit)):
            began = time.process_time()
            store.append_spans(spans)
            assert store.commit()
            took += time.process_time() - began
            count += len(spans)
            now[0] += per_commit
            if number % 8 == 0:
                began = time.process_time()
                store.step()
                merged += time.process_time() - began
                example = spans.traces[0]
        trace = trace_text(*example.tolist())
        live = {}
        for name, ask in asked(store, trace).items():
            store._cache.clear()
            live[f"cold_{name}"] = latency(ask, 1)
            live[name] = latency(ask)
        figures, blocks = store.figures(), len(store._table.blocks)
        store.close()
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        began = time.perf_counter()
        TraceStore(folder, TraceSettings(), clock=lambda: now[0]).close()
        opening = (time.perf_counter() - began) * 1000
    finally:
        shutil.rmtree(folder)
    report(
        "traces",
        {
            "spans": count,
            "take_cpu_s_per_million": round(took / count * 1e6, 2),
            "merge_cpu_s_per_million": round(merged / count * 1e6, 2),
            "bytes_per_span": round(size / count, 1),
            "packed_bytes_per_span": round(figures["traces_bytes"] / count, 1),
            "blocks": blocks,
            "opening_ms": round(opening, 1),
            "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            **live,
        },
        BARS,
    )


if __name__ == "__main__":
    main()
