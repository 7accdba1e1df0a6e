"""What nobody speaks yet is not in memory, and who begins to speak it notices nothing of that."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult

from tests.running import Collector, collector, until

HEAVY = ("grpc", "google.protobuf", "opentelemetry", "numpy.random", "scipy", "pandas")
MAPS = Path("/proc/self/maps")


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Collector]:
    with collector(tmp_path) as running:
        yield running


def test_the_parts_of_a_collector_bring_nothing_that_waits_for_a_client() -> None:
    program = (
        f"import sys, collector.__main__, collector.service\nprint([each for each in sys.modules if each.startswith({HEAVY!r})])"
    )
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert told.stdout.strip() == "[]"


@pytest.mark.skipif(not MAPS.exists(), reason="only Linux tells what a process has loaded")
def test_an_idle_collector_has_no_grpc_until_a_client_of_the_sdk_connects_which_comes_again_after_a_restart(
    one: Collector,
) -> None:
    assert "cygrpc" not in loaded(one)
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{one.otlp_grpc_port}", insecure=True, timeout=20)
    spans = TracerProvider()
    spans.add_span_processor(SimpleSpanProcessor(exporter))
    with spans.get_tracer("first").start_as_current_span("before"):
        pass
    until(lambda: "lightship_otlp_spans_total 1" in one.metrics(), "the first span is counted")
    assert "cygrpc" in loaded(one)
    one.stop()
    one.start()
    assert "cygrpc" not in loaded(one)
    with spans.get_tracer("second").start_as_current_span("after"):
        pass
    until(lambda: "lightship_otlp_spans_total 1" in one.metrics(), "the span after the restart is counted")
    assert "lightship_otlp_grpc_connections 1" in one.metrics()
    spans.shutdown()
    until(lambda: "lightship_otlp_grpc_connections 0" in one.metrics(), "the client's connection is gone")
    one.stop()
    assert "Traceback" not in one.log()
    assert exporter.export([]) is SpanExportResult.FAILURE


def test_a_port_that_somebody_chose_and_another_has_is_told(one: Collector, tmp_path: Path) -> None:
    other = Collector(tmp_path / "other", environment={"LIGHTSHIP_OTLP_GRPC": f"127.0.0.1:{one.otlp_grpc_port}"})
    with pytest.raises(AssertionError, match=f"TCP 127.0.0.1:{one.otlp_grpc_port} is taken by another program. .*--otlp-grpc"):
        other.start()


def loaded(one: Collector) -> str:
    return Path(f"/proc/{one.pid}/maps").read_text()


async def test_many_clients_that_connect_at_the_same_time_are_all_answered(one: Collector) -> None:
    import grpc  # type: ignore[import-untyped]

    path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    async def call() -> bytes:
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{one.otlp_grpc_port}", options) as channel:
            return bytes(await channel.unary_unary(path)(b"", timeout=20))

    assert await asyncio.gather(*(call() for _ in range(50))) == [b""] * 50
