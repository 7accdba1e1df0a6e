"""The layout of long expressions beside Debian's Prometheus: its format_query prints the same."""

from __future__ import annotations

import http.client
import json
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from monitor.query.format import pretty
from monitor.query.history import ParseError
from monitor.query.parse import parse
from tests.monitor.query.grammar import expressions, vectors
from tests.peers import need
from tests.running import free_port

pytestmark = pytest.mark.peer

READY = b"Server is ready to receive web requests"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[http.client.HTTPConnection]:
    """A connection to a running Prometheus with nothing in it."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text("global: {}\n")
    address = f"127.0.0.1:{free_port()}"
    files = [f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    arguments = [need("prometheus", "prometheus"), *files, f"--web.listen-address={address}"]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        said = b""
        while READY not in said:
            line = process.stderr.readline()
            assert line, f"prometheus ended: {said[-500:]!r}"
            said += line
        connection = http.client.HTTPConnection(address, timeout=30)
        yield connection
        connection.close()
    finally:
        process.kill()
        process.communicate()


def theirs(prometheus: http.client.HTTPConnection, text: str) -> str | None:
    body = urllib.parse.urlencode({"query": text})
    prometheus.request("POST", "/api/v1/format_query", body, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = json.loads(prometheus.getresponse().read())
    return str(answer["data"]) if answer["status"] == "success" else None


def ours(text: str) -> str | None:
    try:
        return pretty(parse(text))
    except ParseError:
        return None


SIDES = "sum by (job) (({}) / on (job) group_left (x) ({}))"
long_ones = st.tuples(vectors(), vectors()).map(lambda sides: SIDES.format(*sides))
CHANGED = ("1_000", "12345678", "ignoring()")
"""What newer ones alone read, write without an exponent, or do not lose."""


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(expressions(), long_ones))
def test_an_expression_is_laid_out_as_prometheus_does_it(prometheus: http.client.HTTPConnection, text: str) -> None:
    assume(not any(part in text for part in CHANGED))
    assert ours(text) == theirs(prometheus, text)
