"""What the real `ddtrace` from PyPI sends to its agent arrives as it was meant."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import sys
from pathlib import Path

import pytest

from collector.receivers.datadog import DatadogReceiver, DatadogServer
from monitor.model.spans import PeerKind, SpanKind, Status
from tests.collector.receivers.datadog.reference import Row
from tests.collector.receivers.datadog.test_receiver import Kept

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ddtrace") is None, reason="ddtrace is not installed")

SHOP = """
from ddtrace.trace import tracer
SELECT = "SELECT * FROM carts WHERE id = 17"
with tracer.trace("flask.request", service="shop", resource="GET /cart", span_type="web") as root:
    root.set_tag("span.kind", "server")
    root.set_metric("items", 3)
    with tracer.trace("postgres.query", service="shop-db", resource=SELECT, span_type="sql") as query:
        query.set_tags({"span.kind": "client", "out.host": "db1", "db.system": "postgresql", "db.name": "carts"})
        query.link_span(root.context)
        try:
            raise ValueError("no such cart")
        except ValueError:
            query.set_traceback()
            query.error = 1
with tracer.trace("cron.tidy", service="shop"):
    pass
tracer.shutdown()
"""


async def sent(version: str, tmp_path: Path) -> list[Row]:
    """The spans of the program above, once it has ended."""
    kept = Kept()
    receiver = DatadogReceiver(kept)
    server = DatadogServer(receiver, "127.0.0.1", 0)
    await server.start()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DD_")},
        "DD_TRACE_AGENT_URL": f"http://{server.address}",
        "DD_TRACE_API_VERSION": version,
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        "DD_ENV": "test",
    }
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SHOP, env=environment, cwd=tmp_path, stderr=asyncio.subprocess.PIPE
        )
        _, said = await asyncio.wait_for(process.communicate(), 30)
    finally:
        await server.stop()
    assert (process.returncode, said.decode()) == (0, "")
    assert receiver.notes() == []
    return kept.rows()


@pytest.mark.parametrize("version", ["v0.4", "v0.5"])
async def test_a_program_traced_by_ddtrace(version: str, tmp_path: Path) -> None:
    by_name = {row["name"]: row for row in await sent(version, tmp_path)}
    root, query, tidy = by_name["GET /cart"], by_name["SELECT * FROM carts WHERE id = ?"], by_name["cron.tidy"]
    assert (root["service"], root["kind"], root["status"], root["parent"]) == ("shop", SpanKind.SERVER, Status.UNSET, 0)
    assert (query["service"], query["kind"], query["status"]) == ("shop-db", SpanKind.CLIENT, Status.ERROR)
    assert (query["parent"], query["trace"]) == (root["id"], root["trace"])
    assert root["trace"] >= 2**64, "ddtrace makes ids of 128 bits, the upper half in a tag"
    assert tidy["trace"] not in (root["trace"], 0)
    assert query["peer"] == (PeerKind.DATABASE, "postgresql/carts")
    assert root["start"] <= query["start"]
    assert 0 < query["duration"] < root["duration"]
    attributes = root["details"]["attributes"]
    assert (attributes["items"], attributes["env"], attributes["operation.name"]) == (3, "test", "flask.request")
    assert attributes["sampling.priority"] == 1
    assert not any(name.startswith("_dd.") for name in attributes)
    assert root["details"]["resource"]["telemetry.sdk.language"] == "python"
    assert query["details"]["message"] == "no such cart"
    assert query["details"]["attributes"]["resource.name"] == "SELECT * FROM carts WHERE id = 17"
    assert query["details"]["links"][0]["trace"] == f"{root['trace']:032x}"
    assert query["details"]["links"][0]["span"] == f"{root['id']:016x}"
