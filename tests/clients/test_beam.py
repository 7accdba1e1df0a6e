"""The Erlang example, run by a real BEAM, arrives as the series it promises."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from collector.receivers.statsd import UdpListener
from monitor.model.series import Kind
from tests.collector.receivers.statsd.test_listeners import Inbox
from tests.collector.receivers.statsd.test_parser import unpacked
from tests.peers import need

SCRIPT = Path(__file__).parents[2] / "assets" / "examples" / "beam" / "beam_statsd"

pytestmark = pytest.mark.peer


@pytest.fixture
def escript() -> str:
    return need("escript", "erlang-base")


def test_a_beam_sends_its_memory_tables_processes_and_queues(escript: str) -> None:
    inbox = Inbox()
    with UdpListener("127.0.0.1", 0, inbox) as listener:
        host, port = listener.address
        subprocess.run([escript, SCRIPT, host, str(port), "10", "3"], check=True, timeout=60)
    samples = []
    while not inbox.calls.empty():
        samples += unpacked(inbox.calls.get())
    assert listener.malformed == []
    assert all(dict(sample.tags)["node"] == "nonode@nohost" for sample in samples)
    assert all(sample.kind == Kind.GAUGE.name for sample in samples if sample.name != "beam.reductions")

    def of(name: str, tag: str | None = None) -> dict[str, float]:
        return {dict(s.tags)[tag] if tag else "": s.value for s in samples if s.name == name}

    memory = of("beam.memory", "kind")
    assert {"total", "processes", "system", "atom", "binary", "code", "ets"} <= set(memory)
    assert memory["total"] == memory["processes"] + memory["system"] > 1e6
    sizes, bytes_of = of("beam.ets.size", "table"), of("beam.ets.memory", "table")
    assert sizes.keys() == bytes_of.keys()
    assert "inet_db" in sizes  # every BEAM has it
    assert of("beam.ets.tables")[""] >= len(sizes)
    assert of("beam.ets.memory.total")[""] >= bytes_of["inet_db"] > 0
    assert of("beam.processes")[""] > 10
    assert of("beam.run_queue")[""] >= 0
    reductions = [s for s in samples if s.name == "beam.reductions"]
    assert len(reductions) == 3
    assert all(s.kind == Kind.COUNTER.name and s.value > 0 for s in reductions)


def test_a_wrong_call_is_said(escript: str) -> None:
    ran = subprocess.run([escript, SCRIPT, *"abcde"], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 2
    assert ran.stderr.startswith("usage: beam_statsd [HOST")
