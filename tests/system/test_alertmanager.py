"""A real collector beside the real amtool, Prometheus and Alertmanager: silences set, alerts received, alerts sent."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.peers import need
from tests.running import Collector, collector, free_port, until

RULE = """
[[rule]]
id = "too_hot"
metric = "room.temperature"
condition = { type = "threshold", operator = "gt", value = 30, window = "5m" }
severity = "critical"
summary = "{labels.room} is too hot"
labels = { team = "shop" }
"""
ROUTES = """
[[receiver]]
name = "team"
type = "log"

[[route]]
receiver = "team"
group_by = ["alertname"]
"""


def ask(url: str, path: str, body: Any = None, method: str = "", **headers: str) -> Any:
    """The answer as JSON; that of an error is (status, answer)."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/v2/{path}", data, method=method or ("POST" if data else "GET"))
    for name, value in {"Content-Type": "application/json", **headers}.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or "null")


def alerts(url: str, *filters: str, **flags: str) -> list[dict[str, Any]]:
    query = urllib.parse.urlencode([*(("filter", each) for each in filters), *flags.items()])
    found: list[dict[str, Any]] = ask(url, f"alerts?{query}")
    return found


def names(url: str, *filters: str, **flags: str) -> list[str]:
    return sorted(alert["labels"]["alertname"] for alert in alerts(url, *filters, **flags))


class Amtool:
    def __init__(self, url: str) -> None:
        self._command = [need("amtool", "prometheus-alertmanager"), f"--alertmanager.url={url}"]

    def run(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fails(self, *arguments: str) -> str:
        done = subprocess.run([*self._command, *arguments], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode != 0, done.stdout
        return done.stderr


@contextmanager
def running(folder: Path, *command: str) -> Iterator[None]:
    """A program of others, ended at the end."""
    with (folder / "peer.log").open("a") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={**os.environ, "GOMAXPROCS": "1"})
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def alertmanager(folder: Path, port: int) -> Iterator[str]:
    program = need("prometheus-alertmanager", "prometheus-alertmanager")
    folder.mkdir(exist_ok=True)
    config = folder / "am.yml"
    config.write_text("route: {receiver: nobody, group_by: [alertname]}\nreceivers: [{name: nobody}]\n")
    url = f"http://127.0.0.1:{port}"
    options = [f"--config.file={config}", f"--storage.path={folder}/am", "--cluster.listen-address="]
    with running(folder, program, *options, f"--web.listen-address=127.0.0.1:{port}"):
        until(lambda: _is_up(f"{url}/-/ready"), "the Alertmanager is ready")
        yield url


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "rules").mkdir()
    (folder / "rules" / "rooms.toml").write_text(RULE)
    with collector(folder, ROUTES) as started:
        started.send("room.temperature:35|g|#room:attic", "room.temperature:20|g|#room:cellar")
        until(lambda: names(started.url) == ["too_hot"], "our own alert fires")
        yield started


@pytest.mark.peer
def test_amtool_shows_our_alerts_by_matchers(one: Collector) -> None:
    tool = Amtool(one.url)
    assert "too_hot" in tool.run("alert", "query")
    assert "too_hot" in tool.run("alert", "query", "too_hot", "room=~att.*", 'team!="ops"')
    assert "too_hot" not in tool.run("alert", "query", "room=cellar")
    (shown,) = json.loads(tool.run("-o", "json", "alert", "query", "alertname=too_hot"))
    assert shown["annotations"]["summary"] == "attic is too hot"
    assert shown["receivers"] == [{"name": "team"}]
    assert shown["status"]["state"] == "active"
    assert shown["generatorURL"].startswith(f"{one.url}/api/v1/query?query=")
    assert "room.temperature" in shown["generatorURL"]


@pytest.mark.peer
def test_amtool_adds_queries_updates_and_expires_silences(one: Collector) -> None:
    tool = Amtool(one.url)
    name = tool.run("silence", "add", "alertname=too_hot", "room=~attic|roof", "-c", "painters", "-a", "mira", "-d", "2h").strip()
    assert "painters" in tool.run("silence", "query", "alertname=too_hot")
    until(lambda: alerts(one.url, 'room="attic"')[0]["status"]["state"] == "suppressed", "it is quiet")
    assert alerts(one.url, 'room="attic"')[0]["status"]["silencedBy"] == [name]
    assert names(one.url, silenced="false") == []
    assert names(one.url, active="false") == ["too_hot"]
    assert "too_hot" not in tool.run("alert", "query", "room=attic")
    assert tool.run("silence", "update", "-d", "4h", "-c", "painters again", name).count(name) == 1
    assert ask(one.url, f"silence/{name}")["comment"] == "painters again"
    tool.run("silence", "expire", name)
    assert ask(one.url, f"silence/{name}")["status"]["state"] == "expired"
    assert name not in tool.run("silence", "query")
    assert name in tool.run("silence", "query", "--expired")
    until(lambda: names(one.url, silenced="false") == ["too_hot"], "it may be told again")


@pytest.mark.peer
def test_amtool_is_told_why_a_silence_of_everything_is_refused(one: Collector) -> None:
    refused = Amtool(one.url).fails("silence", "add", "team=~.+", "-c", "all", "-a", "mira")
    assert "These matchers match everything" in refused


@pytest.mark.peer
def test_an_alert_that_amtool_adds_fires_here_until_its_end_is_posted(one: Collector) -> None:
    tool = Amtool(one.url)
    tool.run("alert", "add", "alertname=Leak", "severity=critical", "house=7", "--annotation=summary=The cellar is wet")
    found = until(lambda: alerts(one.url, "alertname=Leak"), "it is there")[0]
    assert (found["annotations"]["summary"], found["labels"]["house"]) == ("The cellar is wet", "7")
    until(lambda: "Leak" in one.run("alerts", check=False).stdout, "the command shows it")
    one.run("ack", "Leak (received)", "--note", "on my way")
    until(lambda: alerts(one.url, "alertname=Leak")[0]["annotations"].get("acknowledged"), "it is told who has it")
    assert alerts(one.url, "alertname=Leak")[0]["annotations"]["acknowledged"] == "by mira: on my way"
    assert "lightship_received_alerts_firing 1" in one.metrics()
    ask(one.url, "alerts", [{"labels": found["labels"], "startsAt": "2024-01-01T00:00:00Z", "endsAt": "2024-01-02T00:00:00Z"}])
    until(lambda: not alerts(one.url, "alertname=Leak"), "its end is told")


@pytest.mark.peer
def test_amtool_reads_the_status_and_the_routes(one: Collector) -> None:
    tool = Amtool(one.url)
    assert "receiver: team" in tool.run("config", "show")
    assert "team" in tool.run("config", "routes", "show")
    assert tool.run("config", "routes", "test", "alertname=x").strip() == "team"
    assert tool.run("cluster", "show").strip()


@pytest.mark.peer
def test_a_real_prometheus_sends_us_its_alerts_and_their_end(tmp_path: Path) -> None:
    program = need("prometheus", "prometheus")
    with collector(tmp_path / "ours") as ours:
        rules = tmp_path / "rules.yml"
        group = {"name": "g", "interval": "1s", "rules": [_rule("vector(1)"), _rule("vector(2)", "Other")]}
        rules.write_text(json.dumps({"groups": [group]}))
        config = {
            "global": {"evaluation_interval": "1s", "external_labels": {"cluster": "eu"}},
            "rule_files": [str(rules)],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [ours.url.removeprefix("http://")]}]}]},
        }
        (tmp_path / "prometheus.yml").write_text(json.dumps(config))
        port = free_port()
        options = [
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/tsdb",
            "--rules.alert.resend-delay=1s",
        ]
        with running(tmp_path, program, *options, f"--web.listen-address=127.0.0.1:{port}", "--web.enable-lifecycle"):
            until(lambda: names(ours.url) == ["Broken", "Other"], "both fire here", 40)
            (shown,) = alerts(ours.url, "alertname=Broken")
            assert shown["labels"] == {"alertname": "Broken", "cluster": "eu", "severity": "page"}
            assert shown["annotations"] == {"description": "It is at 1.", "summary": "It is broken"}
            assert f":{port}/graph" in shown["generatorURL"]
            before = shown["startsAt"]
            ours.kill()
            ours.start()
            assert names(ours.url) == ["Broken", "Other"], "what fires is not over because we were away"
            assert until(lambda: alerts(ours.url, "alertname=Broken"), "it is there")[0]["startsAt"] == before
            group["rules"] = group["rules"][:1]
            rules.write_text(json.dumps({"groups": [group | {"rules": [_rule("vector(1) > 5")]}]}))
            request = urllib.request.Request(f"http://127.0.0.1:{port}/-/reload", method="POST")
            urllib.request.urlopen(request, timeout=10).close()
            until(lambda: "Broken" not in names(ours.url), "its end is told", 40)


def _rule(expression: str, name: str = "Broken") -> dict[str, Any]:
    annotations = {"summary": "It is broken", "description": "It is at {{ $value }}."}
    return {"alert": name, "expr": expression, "labels": {"severity": "page"}, "annotations": annotations}


@pytest.mark.peer
def test_a_real_alertmanager_gets_what_fires_with_the_same_fingerprints_and_its_end(tmp_path: Path) -> None:
    port = free_port()
    folder = tmp_path / "ours"
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "rooms.toml").write_text(RULE)
    with collector(folder, f'alertmanagers = ["http://127.0.0.1:{port}"]\n') as ours:
        ours.send("room.temperature:35|g|#room:attic")
        until(lambda: names(ours.url) == ["too_hot"], "it fires here")
        ask(ours.url, "alerts", [{"labels": {"alertname": "Leak", "house": "7"}, "annotations": {"summary": "wet"}}])
        until(lambda: "takes no alerts" in ours.run("status").stdout, "a note says that nobody is there")
        with alertmanager(tmp_path / "theirs", port) as theirs:
            until(lambda: names(theirs) == ["Leak", "too_hot"], "both are there")
            ours_by = {alert["fingerprint"]: alert for alert in alerts(ours.url)}
            theirs_by = {alert["fingerprint"]: alert for alert in alerts(theirs)}
            assert ours_by.keys() == theirs_by.keys()
            for name, alert in theirs_by.items():
                assert alert["labels"] == ours_by[name]["labels"]
                assert alert["annotations"] == ours_by[name]["annotations"]
                assert alert["startsAt"] == ours_by[name]["startsAt"]
            until(lambda: "takes no alerts" not in ours.run("status").stdout, "the note is gone")
            ours.send("room.temperature:20|g|#room:attic")
            ask(
                ours.url,
                "alerts",
                [
                    {
                        "labels": {"alertname": "Leak", "house": "7"},
                        "endsAt": "2024-01-01T00:00:00Z",
                        "startsAt": "2023-01-01T00:00:00Z",
                    }
                ],
            )
            until(lambda: names(theirs) == [], "their ends are told")
            told = json.loads(urllib.request.urlopen(f"{ours.url}/api/v1/alertmanagers", timeout=5).read())
            assert told["data"]["activeAlertmanagers"] == [{"url": f"http://127.0.0.1:{port}/api/v2/alerts"}]


REQUESTS: list[tuple[str, str, Any]] = [
    ("POST", "alerts", [{"labels": {}}]),
    ("POST", "alerts", [{"labels": {"alertname": ""}}]),
    ("POST", "alerts", [{"annotations": {"a": "b"}}]),
    ("POST", "alerts", [{"labels": {"a": "b"}, "startsAt": "2021-01-01T00:00:00Z", "endsAt": "2020-01-01T00:00:00Z"}]),
    ("GET", "alerts?filter=foo", None),
    ("GET", "silences?filter=foo", None),
    ("POST", "silences", {}),
    ("POST", "silences", {"comment": "c", "createdBy": "me", "endsAt": "2031-01-01T00:00:00Z"}),
    ("POST", "silences", {"matchers": [], "comment": "c", "createdBy": "me", "startsAt": "", "endsAt": ""}),
    ("GET", "silence/6ba7b810-9dad-11d1-80b4-00c04fd430c8", None),
]


def posted(ends: str, name: str = "", value: str = "b", starts: str = "2020-01-01T00:00:00Z") -> dict[str, Any]:
    matchers = [{"name": "a", "value": value, "isRegex": False}]
    silence = {"matchers": matchers, "startsAt": starts, "endsAt": ends, "createdBy": "me", "comment": "c"}
    return silence | ({"id": name} if name else {})


REQUESTS += [
    ("POST", "silences", posted("2021-01-01T00:00:00Z")),
    ("POST", "silences", posted("2019-01-01T00:00:00Z")),
    ("POST", "silences", posted("2026-12-24T00:00:00Z", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")),
]


def _status(answer: Any) -> int:
    return int(answer[0]) if isinstance(answer, tuple) else 200


@pytest.mark.peer
def test_silences_and_mistakes_are_answered_as_the_real_alertmanager_does(one: Collector, tmp_path: Path) -> None:
    with alertmanager(tmp_path, free_port()) as theirs:
        for method, path, body in REQUESTS:
            ours, real = (ask(url, path, body, method) for url in (one.url, theirs))
            assert _status(ours) == _status(real), (path, body, ours, real)
            if not (path == "silences" and body and body.get("startsAt") == ""):  # a sentence of its own about no time
                assert ours == real, (path, body)
        for url in (one.url, theirs):
            first = ask(url, "silences", posted("2030-01-01T00:00:00Z" if url == theirs else "2027-01-01T00:00:00Z"))["silenceID"]
            shown = ask(url, f"silence/{first}")
            same = posted("2027-02-01T00:00:00Z", first, starts=shown["startsAt"])
            assert ask(url, "silences", same)["silenceID"] == first, "times are changed in place"
            assert ask(url, f"silence/{first}")["endsAt"] == "2027-02-01T00:00:00.000Z"
            other = ask(url, "silences", posted("2027-02-01T00:00:00Z", first, "c", shown["startsAt"]))["silenceID"]
            assert other != first, "other matchers make another silence"
            assert ask(url, f"silence/{first}")["status"]["state"] == "expired"
            assert ask(url, f"silence/{other}").keys() == shown.keys()
            assert ask(url, f"silence/{other}", method="DELETE") is None
            assert ask(url, f"silence/{other}", method="DELETE") is None
            again = ask(url, "silences", posted("2027-02-01T00:00:00Z", other, "c"))["silenceID"]
            assert again != other, "one that is over is made anew"
            ask(url, f"silence/{again}", method="DELETE")


def test_groups_have_the_labels_and_receivers_of_the_routes(one: Collector) -> None:
    (group,) = ask(one.url, f"alerts/groups?{urllib.parse.urlencode({'filter': 'room=attic'})}")
    assert (group["labels"], group["receiver"]) == ({"alertname": "too_hot"}, {"name": "team"})
    assert [alert["labels"]["room"] for alert in group["alerts"]] == ["attic"]
    assert group["alerts"][0].keys() == alerts(one.url, "room=attic")[0].keys()
    assert ask(one.url, "receivers") == [{"name": "team"}]
    assert ask(one.url, "alerts/groups?receiver=nobody") == []


def test_a_strange_page_may_neither_ask_nor_silence_and_a_listed_one_may_do_both(tmp_path: Path) -> None:
    with collector(tmp_path, 'origins = ["https://karma.example"]\n') as ours:
        silence = posted("2027-01-01T00:00:00Z")
        for origin, wanted in (("https://evil.example", 403), ("https://karma.example", 200)):
            assert _status(ask(ours.url, "silences", silence, Origin=origin)) == wanted
            assert _status(ask(ours.url, "alerts", Origin=origin)) == wanted
            assert _status(ask(ours.url, "alerts", [{"labels": {"a": "b"}}], Origin=origin)) == wanted
        request = urllib.request.Request(f"{ours.url}/alertmanager/api/v2/silences", method="OPTIONS")
        request.add_header("Origin", "https://karma.example")
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.headers["Access-Control-Allow-Origin"] == "https://karma.example"
            assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
