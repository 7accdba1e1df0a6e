"""A whole collector and its less usual senders: protobuf pushes, service checks, web pages; and what they say of metrics."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from collector.exporters.formats import Format
from monitor.wire.messages import Events
from tests.collector.receivers.prometheus.protobufs import HISTOGRAM, family, histogram, metric, native
from tests.running import Collector, collector, until
from ui.command.ask import conversation

EXPOSITION = b"# HELP shop_orders_total Orders that were paid.\n# TYPE shop_orders_total counter\nshop_orders_total 3\n"


class Target(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(EXPOSITION)))
        self.end_headers()
        self.wfile.write(EXPOSITION)

    def log_message(self, *told: Any) -> None:
        pass


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    server = HTTPServer(("127.0.0.1", 0), Target)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    scrape = f'[[scrape]]\nurl = "http://127.0.0.1:{server.server_port}/metrics"\njob = "shop"\ninterval = "1s"\n'
    try:
        with collector(tmp_path_factory.mktemp("collector"), scrape) as running:
            yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, body, {name.replace("_", "-"): text for name, text in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def metadata(one: Collector, name: str) -> list[dict[str, str]]:
    _, body = asked(f"{one.url}/api/v1/metadata?metric={name}")
    return list(json.loads(body)["data"].get(name, []))


def test_a_native_histogram_that_is_pushed_has_quantiles(one: Collector) -> None:
    body = family("run_seconds", HISTOGRAM, metric(HISTOGRAM, histogram(4, 6.0, {}, native(6, 0, [(1, 1)], [4]))))
    assert asked(f"{one.url}/metrics/job/nightly", body, Content_Type=Format("protobuf").content_type)[0] == 200
    found = until(lambda: [each for each in one.get("run_seconds", "p50").values() if each is not None], "it has a median")
    assert found == [pytest.approx(1.0, rel=0.02)]
    until(lambda: metadata(one, "run_seconds"), "it is described")
    assert metadata(one, "run_seconds") == [{"type": "histogram", "help": "help", "unit": "s"}]


def test_what_a_target_says_of_its_metrics_is_answered(one: Collector) -> None:
    wanted = [{"type": "counter", "help": "Orders that were paid.", "unit": ""}]
    until(lambda: metadata(one, "shop_orders_total") == wanted, "it is scraped and described")


def test_a_service_check_says_why_it_failed(one: Collector) -> None:
    one.send("_sc|db.up|0|m:fine", "_sc|db.up|2|#env:prod|m:connection refused")

    def told() -> list[str]:
        with conversation(one.url, 5.0) as talk:
            talk.resume()
            while not isinstance(found := talk.receive(), Events):
                pass
            return [event.text for event in found.events]

    until(lambda: "db.up is critical: connection refused env:prod" in told(), "the event is told")
    assert not any("fine" in text for text in told())


def test_a_page_of_a_strange_origin_writes_nothing(one: Collector) -> None:
    for path in ("/metrics/job/evil", "/api/v1/write", "/api/v1/events", "/v1/metrics"):
        assert asked(one.url + path, b"evil 1\n", Origin="https://evil.example")[0] == 403
        assert asked(one.url + path, b"evil 1\n", Sec_Fetch_Site="cross-site")[0] == 403
    assert asked(f"http://127.0.0.1:{one.otlp_http_port}/v1/metrics", b"", Origin="https://evil.example")[0] == 403
    assert one.get("evil") == {}
    until(lambda: "lightship_pages_refused_total 9" in one.metrics(), "the refusals are counted")


def delta(one: Collector, name: str, value: float, monotonic: bool) -> None:
    point = {"asDouble": value, "timeUnixNano": str(time.time_ns()), "startTimeUnixNano": str(time.time_ns() - 10**8)}
    metric = {"name": name, "sum": {"aggregationTemporality": 1, "isMonotonic": monotonic, "dataPoints": [point]}}
    body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    url = f"http://127.0.0.1:{one.otlp_http_port}/v1/metrics"
    assert asked(url, json.dumps(body).encode(), Content_Type="application/json")[0] == 200


def total(one: Collector, name: str) -> float:
    _, body = asked(f"{one.url}/api/v1/query?query={name}")
    return float(json.loads(body)["data"]["result"][0]["value"][1])


def test_totals_of_deltas_go_on_after_a_kill(one: Collector) -> None:
    delta(one, "jobs_done", 5, monotonic=True)
    delta(one, "jobs_open", 7, monotonic=False)
    one.kill()
    one.start()
    delta(one, "jobs_done", 2, monotonic=True)
    delta(one, "jobs_open", -3, monotonic=False)
    assert (total(one, "jobs_done"), total(one, "jobs_open")) == (7, 4)
