"""`lightship push`: where it goes, what is refused before it goes, and what is said when it does not arrive."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.running import ROOT, Collector, collector, free_port, until
from ui.command import exits
from ui.command.main import main


class Gateway:
    """Answers with its statuses, then 200 for good; keeps what was taken."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.pushes: list[tuple[str, str, str, str]] = []
        """Method, path, Content-Type, body."""
        self.authorization: str | None = None
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                gateway.authorization = self.headers.get("Authorization")
                status = gateway.statuses.pop(0) if gateway.statuses else 200
                said = b"" if status == 200 else b"not \x1b[31mnow"
                if status == 200:
                    gateway.pushes.append((self.command, self.path, self.headers.get("Content-Type") or "", body))
                self.send_response(status)
                if status == 301:
                    self.send_header("Location", "http://elsewhere/")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_PUT = do_POST = do_DELETE = handle_one  # noqa: N815  (the names that http.server calls)

            def log_message(self, *told: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.host}"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr("ui.command.push.time.sleep", lambda seconds: None)
    one = Gateway()
    thread = threading.Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield one
    one.server.shutdown()
    thread.join()
    one.server.server_close()


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_values_are_posted_to_the_group_that_the_flags_name(gateway: Gateway) -> None:
    assert main(["push", "nightly", "--to", gateway.url, "--grouping", "instance=db 1", "a_bytes=3"]) == exits.OK
    body = "# TYPE a_bytes gauge\na_bytes 3\n"
    assert gateway.pushes == [("POST", "/metrics/job/nightly/instance/db%201", "text/plain; version=0.0.4; charset=utf-8", body)]


def test_a_file_and_standard_input_are_pushed_as_they_are(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("a 1")
    typed(monkeypatch, "b 2\n# EOF\n")
    assert main(["push", "j", "--to", gateway.url, "--replace", str(tmp_path / "text")]) == exits.OK
    assert main(["push", "j", "--to", gateway.url, "-"]) == exits.OK
    openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert [(method, body) for method, _, _, body in gateway.pushes] == [("PUT", "a 1\n"), ("POST", "b 2\n# EOF\n")]
    assert gateway.pushes[1][2] == openmetrics


def test_user_and_password_of_the_address_go_as_a_header_and_are_never_shown(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway.statuses = [401]
    assert main(["push", "j", "--to", f"http://me:s%40cret@{gateway.host}", "a=1"]) == exits.REFUSED
    assert gateway.authorization == "Basic bWU6c0BjcmV0"
    assert "cret" not in capsys.readouterr().err


def test_it_tries_again_while_the_server_is_busy(gateway: Gateway) -> None:
    gateway.statuses = [503, 429, 500]
    assert main(["push", "j", "--to", gateway.url, "a=1"]) == exits.OK
    assert len(gateway.pushes) == 1


@pytest.mark.parametrize(
    ("statuses", "code", "said"),
    [
        ([400], exits.REFUSED, "refused the push (status 400: not [31mnow)"),
        ([503] * 4, exits.FAILED, "did not take the push in 4 attempts (status 503"),
        ([404], exits.REFUSED, "knows no pushes"),
        ([301], exits.REFUSED, "is elsewhere (status 301: http://elsewhere/)"),
    ],
)
def test_what_was_not_taken_is_a_sentence_and_an_exit_code(
    gateway: Gateway, capsys: pytest.CaptureFixture[str], statuses: list[int], code: int, said: str
) -> None:
    gateway.statuses = statuses
    assert main(["push", "j", "--to", gateway.url, "a=1"]) == code
    assert said in capsys.readouterr().err


def test_nobody_there_is_3(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", "j", "--to", f"http://127.0.0.1:{free_port()}", "a=1"]) == exits.NO_COLLECTOR
    assert "Connection refused" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["j", "a=b"], "has no number behind"),
        (["j", "nowhere/file"], "cannot be read"),
        (["j", "a=1", "file"], "'file' is no name=value; give values, or one file"),
        (["", "a=1"], "cannot name a group"),
        (["j", "--grouping", "job=k", "a=1"], "the job stands before it"),
        (["j", "--grouping", "x", "a=1"], "write it as name=value"),
        (["j", "--delete", "a=1"], "leave the values or the file out"),
        (["j", "--to", "ws://127.0.0.1:7071", "a=1"], "write http://host:9091"),
        (["j", "--to", "http://[::1", "a=1"], "write http://host:9091"),
        (["j", "/dev/null"], "the exposition is empty"),
    ],
)
def test_what_cannot_be_pushed_is_refused_before_anything_is_sent(
    capsys: pytest.CaptureFixture[str], given: list[str], said: str
) -> None:
    assert main(["push", *given]) == exits.USAGE
    assert said in capsys.readouterr().err


def test_it_needs_nothing_of_the_collector() -> None:
    script = "import sys, ui.command.push; print(sorted({'numpy', 'aiohttp', 'collector', 'msgspec'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collector(tmp_path_factory.mktemp("collector")) as running:
        yield running


def test_a_collector_takes_replaces_and_ends_what_is_pushed(one: Collector) -> None:
    one.run("push", "nightly", "--grouping", "db=a/b", "backup_bytes=1024", "backup_files_total=7")
    until(lambda: one.get("backup_bytes").get("backup_bytes,db=a/b,job=nightly") == 1024, "it is pushed")
    one.run("push", "nightly", "--grouping", "db=a/b", "--replace", "backup_seconds=3")
    until(lambda: list(one.get("backup_seconds").values()) == [3], "it is replaced")
    one.run("push", "nightly", "--grouping", "db=a/b", "--delete")
    with urllib.request.urlopen(f"{one.url}/api/v1/metrics", timeout=10) as answer:
        assert json.load(answer)["data"] == []
