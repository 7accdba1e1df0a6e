"""The simulated shop as a process: what it brings to a real collector, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT, Collector, collector, free_port, until
from ui.command import exits
from ui.demoshop import beside
from ui.demoshop.command import run
from ui.demoshop.courier import MOST_WAITING, Courier, Parcel
from ui.demoshop.sending import Addresses, Sending, is_collector
from ui.demoshop.shop import Shop


@contextmanager
def started(to: Addresses, *more: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "ui.demoshop", "--statsd", to.statsd, "--otlp", to.otlp, "--datadog", to.datadog]
    command += ["--http", to.http, *more]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, **options) as process, ended(process):
        yield process


@contextmanager
def ended(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Whatever happens, it does not stay."""
    try:
        yield
    finally:
        process.kill()


def nowhere() -> Addresses:
    """Ports at which nobody listens."""
    statsd, *rest = (free_port() for _ in range(4))
    return Addresses(f"127.0.0.1:{statsd}", *(f"http://127.0.0.1:{port}" for port in rest))


def addresses_of(one: Collector) -> Addresses:
    otlp, datadog = (f"http://127.0.0.1:{port}" for port in (one.otlp_http_port, one.datadog_port))
    return Addresses(f"127.0.0.1:{one.statsd_port}", otlp, datadog, one.url)


def asked(one: Collector, query: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{one.url}/api/v1/query?query={urllib.parse.quote(query)}", timeout=10) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
    return found


def names(one: Collector, query: str, label: str) -> set[str]:
    return {each["metric"].get(label, "") for each in asked(one, query)}


def test_a_dozen_services_a_map_logs_and_series_are_there_within_ten_seconds(tmp_path: Path) -> None:
    with collector(tmp_path, "host = false\n") as one, started(addresses_of(one)) as shop:
        begun = time.monotonic()
        services = "sum by (service) (traces_spanmetrics_calls_total)"
        until(lambda: len(asked(one, services)) == 12, "a dozen services have spans")
        edges = "traces_service_graph_request_total"
        until(lambda: len(asked(one, edges)) >= 20, "they are on the map")
        series = '{__name__=~"shop.*|http.server.request.duration|process.memory.usage|datadog.service_check"}'
        until(lambda: len(names(one, series, "__name__")) == 14, "series of all kinds are there")
        until(lambda: "events_told_total 1" in one.metrics(), "an event was told")
        took = time.monotonic() - begun
        assert names(one, edges, "client") >= {"edge", "web", "checkout", "payments", "kafka/orders"}
        assert names(one, edges, "server") >= {
            "payments",
            "users",
            "inventory",
            "postgresql/users",
            "redis/carts",
            "kafka/orders",
        }
        figures = one.metrics()
        shop.send_signal(signal.SIGTERM)
        assert shop.wait(10) == 0
        assert shop.stderr is not None
        assert shop.stderr.read() == b""
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # where others want the cores too it takes longer
    assert took < 10 * busy, "every page is alive within ten seconds"
    for figure in ("datadog_malformed_total", "statsd_malformed_total", "events_refused_total"):
        assert f"{figure} 0" in figures, figure


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_and_quietly_also_while_nobody_answers(number: signal.Signals) -> None:
    with started(nowhere()) as shop:
        until(lambda: len(os.listdir(f"/proc/{shop.pid}/task")) >= 6, "it sends")
        shop.send_signal(number)
        assert shop.wait(8) == 0
        assert shop.stderr is not None
        assert shop.stderr.read() == b""


def test_it_ends_and_ends_the_collector_when_its_parent_is_gone() -> None:
    with (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stands_for_the_collector,
        ended(stands_for_the_collector),
        started(nowhere(), "--while-stdin", "--ends", str(stands_for_the_collector.pid), stdin=subprocess.PIPE) as shop,
    ):
        until(lambda: len(os.listdir(f"/proc/{shop.pid}/task")) >= 6, "it sends")
        assert shop.stdin is not None
        shop.stdin.close()  # as the system does for a parent that is killed
        assert shop.wait(8) == 0
        assert stands_for_the_collector.wait(8) == -signal.SIGTERM


def test_what_cannot_be_delivered_is_bounded_and_counted() -> None:
    courier = Courier("test", [nowhere().http])
    courier.start()
    for number in range(5 * MOST_WAITING):
        courier.send(Parcel("/v1/traces", bytes([number]), "application/x-protobuf"))
    until(lambda: courier.lost >= 4 * MOST_WAITING - 1, "what is too much is left out")
    courier.stop()
    assert courier.delivered == 0


class _Taking(BaseHTTPRequestHandler):
    """Answers every request; `server.statuses` says with what, the last one for good."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: Any = self.server
        server.taken.append(body)
        status = server.statuses.pop(0) if len(server.statuses) > 1 else server.statuses[0]
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_GET(self) -> None:
        self.send_response(200)
        said = b'{"version": "7.50.0"}'
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def peer() -> Any:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Taking)
    server.taken, server.statuses, server.url = [], [200], f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_where_one_address_is_dead_the_next_takes_it(peer: Any) -> None:
    courier = Courier("test", [nowhere().otlp, peer.url])
    courier.start()
    courier.send(Parcel("/v1/traces", b"spans", "application/x-protobuf"))
    until(lambda: courier.delivered == 1, "it is delivered")
    courier.stop()
    assert peer.taken == [b"spans"]


def test_who_is_asked_to_come_again_does_and_who_is_refused_does_not(peer: Any) -> None:
    peer.statuses = [503, 400, 200]
    courier = Courier("test", [peer.url])
    courier.start()
    courier.send(Parcel("/a", b"1", "text/plain"))
    courier.send(Parcel("/a", b"2", "text/plain"))
    until(lambda: courier.delivered == 1, "both are done with")
    courier.stop()
    assert (peer.taken, courier.refused, courier.said[:7]) == ([b"1", b"1", b"2"], 1, "/a: 400")


def test_traces_never_go_to_another_programs_agent(peer: Any) -> None:
    assert not is_collector(peer.url)
    assert not is_collector(nowhere().datadog)
    to = nowhere()
    began = time.time() - 3
    sending = Sending(Addresses(to.statsd, to.otlp, peer.url, to.http), began)
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    run(Shop(7, began), sending, stop)
    assert peer.taken == []


# ------------------------------------------------------------ beside a collector


def test_the_demonstration_has_a_folder_of_its_own_and_leaves_what_is_there(tmp_path: Path) -> None:
    environ = {"XDG_DATA_HOME": str(tmp_path)}
    first = beside.folder(None, None, None, environ)
    assert first.data == tmp_path / "lightship-demo"
    (first.rules / "shop.toml").write_text("# mine\n")
    assert beside.folder(None, None, None, environ) == first
    assert (first.rules / "shop.toml").read_text() == "# mine\n"
    given = beside.folder(str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "c"), environ)
    assert not given.rules.exists()
    assert not given.config.exists()


def test_a_port_that_another_program_has_is_left_to_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = int(other.getsockname()[1])
        taken = beside.Port("datadog", port, socket.SOCK_STREAM)
        found = beside.ports({"LIGHTSHIP_STATSD": "off"}, (taken, beside.Port("statsd", 8125, socket.SOCK_DGRAM)))
    assert set(found) == {"LIGHTSHIP_DATADOG"}
    assert found["LIGHTSHIP_DATADOG"] != f"127.0.0.1:{port}"


def test_addresses_follow_what_the_collector_is_told() -> None:
    told = {"LIGHTSHIP_STATSD": "127.0.0.1:9125,[::1]:9125", "LIGHTSHIP_OTLP_HTTP": "off", "LIGHTSHIP_DATADOG": ":9126"}
    assert beside.addresses("http://127.0.0.1:7170", told) == Addresses(
        "127.0.0.1:9125", "http://127.0.0.1:7170", "http://127.0.0.1:9126", "http://127.0.0.1:7170"
    )


class Demo:
    """`lightship up --demo --ui none` on ports and in folders of its own."""

    def __init__(self, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.data = folder / "lightship-demo"
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        self.environment["LIGHTSHIP_HOST"] = "off"

    def popen(self, *more: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ui.command.main", "up", "--demo", "--ui", "none", "--url", self.url, *more]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/lightship", timeout=2):
                return True
        except OSError:
            return False

    def spans(self) -> bool:
        query = urllib.parse.quote("sum(traces_spanmetrics_calls_total)")
        with urllib.request.urlopen(f"{self.url}/api/v1/query?query={query}", timeout=5) as answer:
            return bool(json.load(answer)["data"]["result"])


def test_up_demo_says_that_it_is_simulated_and_ends_both_with_itself(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with demo.popen() as up, ended(up):
        until(demo.answers, "the collector answers", 40)
        until(demo.spans, "spans come in")
        with demo.popen() as second:
            said, _ = second.communicate(timeout=20)
            assert second.returncode == exits.FAILED
            assert "--url" in said
        up.send_signal(signal.SIGINT)
        said, _ = up.communicate(timeout=30)
    assert up.returncode == exits.OK
    assert "simulated" in said
    assert "Traceback" not in said + (demo.data / "collector.log").read_text()
    assert not demo.answers()
    assert (demo.data / "rules" / "shop.toml").exists()


def test_nothing_is_left_of_a_demonstration_that_was_killed(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    with demo.popen() as up, ended(up):
        until(demo.answers, "the collector answers", 40)
        until(demo.spans, "spans come in")
        up.kill()
    until(lambda: not demo.answers(), "the collector is gone")


def test_a_demonstration_cannot_be_kept(tmp_path: Path) -> None:
    with Demo(tmp_path).popen("--keep") as up:
        said, _ = up.communicate(timeout=20)
    assert (up.returncode, "--keep" in said) == (exits.USAGE, True)
