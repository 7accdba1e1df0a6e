"""The commands on a real collector: what they print, and the exit codes that `lightship --help` promises."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.wire.messages import Events
from tests.running import ROOT, Collector, collector, until
from ui.command import exits
from ui.command.ask import conversation


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    with collector(tmp_path_factory.mktemp("collector")) as running:
        running.send("queue:4|g|#shard:a", "queue:5|g|#shard:b", "evil\u202e\x1b[31m:1|g")
        until(lambda: len(running.get("queue")) == 2, "the series are there")
        yield running


def ended(one: Collector, *arguments: str) -> tuple[int, str, str]:
    done = one.run(*arguments, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_watch_prints_each_series_at_each_tick(one: Collector) -> None:
    code, out, said = ended(one, "watch", "queue", "--count", "2")
    lines = [line.split("  ") for line in out.splitlines()]
    assert (code, said) == (exits.OK, "")
    assert [line[1:] for line in lines] == [['queue{shard="a"}', "4"], ['queue{shard="b"}', "5"]] * 2
    assert lines[0][0] < lines[2][0]


def test_watch_prints_json_a_line(one: Collector) -> None:
    code, out, _ = ended(one, "watch", "queue", "--count", "1", "--json", "--field", "last", "--field", "rate")
    told = [json.loads(line) for line in out.splitlines()]
    assert code == exits.OK
    assert [entry["tags"] for entry in told] == [{"shard": "a"}, {"shard": "b"}]
    assert told[0]["fields"]["last"] == 4
    assert set(told[0]["fields"]) == {"last", "rate"}


def test_watch_says_that_nothing_matches_and_waits(one: Collector) -> None:
    assert ended(one, "watch", "nowhere", "--count", "2") == (exits.OK, "", "lightship: No series matches nowhere yet.\n")


def test_nothing_found_is_5_and_a_refusal_is_4(one: Collector) -> None:
    assert ended(one, "get", "nowhere")[0] == exits.NOTHING
    assert ended(one, "ack", "nobody")[0] == exits.NOTHING
    assert ended(one, "unsilence", "none")[0] == exits.NOTHING
    for command in ("get", "watch"):
        code, out, said = ended(one, command, "queue", "--window", "77s")
        assert (code, out) == (exits.REFUSED, "")
        assert "window" in said


def test_what_is_sent_from_outside_moves_no_cursor(one: Collector) -> None:
    for command in (["get", "{}"], ["watch", "{}", "--count", "1"]):
        code, out, _ = ended(one, *command)
        assert code == exits.OK
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_a_collector_that_dies_ends_a_watch_with_a_sentence(tmp_path: Path) -> None:
    with collector(tmp_path) as mortal:
        command = [sys.executable, "-m", "ui.command.main", "watch", "host.cpu.busy", "--url", mortal.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as watching:
            assert watching.stdout is not None
            watching.stdout.readline()
            mortal.kill()
            _, said = watching.communicate(timeout=20)
    assert watching.returncode == exits.NO_COLLECTOR
    assert said.splitlines()[-1].startswith("lightship: The connection to the collector broke")
    assert "Traceback" not in said


def asked(one: Collector, expr: str, *arguments: str) -> tuple[int, str, str]:
    return ended(one, "query", expr, *arguments)


def test_a_query_prints_a_series_a_line(one: Collector) -> None:
    until(lambda: asked(one, "queue")[0] == exits.OK, "the history has the series")
    code, out, said = asked(one, "sum by (shard) (queue) * 2")
    assert (code, said) == (exits.OK, "")
    assert [line.split() for line in out.splitlines()] == [["SERIES", "VALUE"], ['{shard="a"}', "8"], ['{shard="b"}', "10"]]


def test_a_query_over_time_prints_figures_csv_or_json(one: Collector) -> None:
    until(lambda: asked(one, "queue")[0] == exits.OK, "the history has the series")
    code, out, _ = asked(one, 'queue{shard="a"}', "--last", "1m", "--step", "5s")
    assert code == exits.OK
    assert out.splitlines()[0].split() == ["SERIES", "POINTS", "LAST", "MIN", "MAX", "MEAN"]
    code, out, _ = asked(one, 'queue{shard="a"}', "--last", "1m", "--step", "5s", "--csv")
    rows = out.splitlines()
    assert rows[0] == 'time,"queue{shard=""a""}"'
    assert rows[-1].endswith("Z,4.0")
    told = json.loads(asked(one, 'queue{shard="a"}', "--json")[1])
    assert told["series"] == [{"labels": {"__name__": "queue", "shard": "a"}, "values": [4.0]}]


def test_a_mistake_in_a_query_is_marked_at_its_place(one: Collector) -> None:
    code, out, said = asked(one, "rate(queue)")
    assert (code, out) == (exits.REFUSED, "")
    assert said.splitlines()[0].startswith("lightship: Line 1, column 6:")
    assert said.splitlines()[1:] == ["  rate(queue)", "       ^^^^^"]


def test_a_query_that_nothing_answers_is_5_and_a_time_that_is_none_is_2(one: Collector) -> None:
    assert asked(one, "nowhere")[0] == exits.NOTHING
    code, _, said = asked(one, "queue", "--start", "yesterday")
    assert code == exits.USAGE
    assert "--start: 'yesterday' is no time" in said


def test_names_from_outside_move_no_cursor_and_make_no_formula(one: Collector) -> None:
    for flags in ([], ["--csv"]):
        code, out, _ = asked(one, '{__name__=~".*evil.*"}', *flags)
        assert code == exits.OK
        assert "\x1b" not in out
        assert "\u202e" not in out


def test_an_event_is_told_by_command_and_over_http_and_everybody_hears_of_it(one: Collector) -> None:
    code, out, _ = ended(one, "event", "deploy api 1.4", "--tag", "service:api")
    assert (code, out) == (exits.OK, "Told: deploy. It is marked on every chart.\n")
    body = json.dumps({"text": "payments are down", "kind": "incident", "tags": {"service": "pay"}}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{one.url}/api/v1/events", body)) as answer:
        assert json.loads(answer.read()) == {"status": "success", "events": 1}
    with conversation(one.url, 5.0) as talk:
        talk.resume()
        while not isinstance(told := talk.receive(), Events):
            pass
    events = told.events
    assert [(event.kind, event.text, event.tags) for event in events if event.kind in ("deploy", "incident")] == [
        ("deploy", "deploy api 1.4", (("service", "api"),)),
        ("incident", "payments are down", (("service", "pay"),)),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1]", b'{"text": ""}', b'{"text": "x", "kind": "firing"}', b'{"text": "x", "y": 1}']
)
def test_what_is_no_event_is_refused_with_a_reason(one: Collector, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(f"{one.url}/api/v1/events", body))
    assert refused.value.code == 400
    assert json.loads(refused.value.read())["error"]


def test_an_event_without_words_or_with_a_broken_tag_is_a_wrong_use(one: Collector) -> None:
    assert ended(one, "event", " ")[0] == exits.USAGE
    code, _, said = ended(one, "event", "x", "--tag", "service")
    assert code == exits.USAGE
    assert "name:value" in said
