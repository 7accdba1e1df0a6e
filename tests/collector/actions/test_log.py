"""The log action writes one line of JSON for each notification, whatever the labels hold."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec.structs import replace

from collector.actions.log import LogAction
from monitor.alerting.model import Notification
from tests.monitor.alerting.fakes import Stage, make_rule


def notification(tag: str = "a") -> Notification:
    stage = Stage(make_rule(more='name = "Slow"\nrunbook_url = "https://wiki.example.com/slow"'))
    return stage.at(0, **{tag: 11.5}).notifications[0]


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def test_a_line_tells_all_there_is_to_know(tmp_path: Path) -> None:
    log = LogAction(tmp_path / "deep" / "alerts.log")
    told = notification()
    log.tell(told, 7)
    assert lines(tmp_path / "deep" / "alerts.log") == [
        {
            "time": "1970-01-01T00:16:40.000+00:00",
            "id": 7,
            "kind": "firing",
            "severity": "warning",
            "rule": "r",
            "name": "Slow",
            "text": 'Slow: m{s="a"} is 11.5, above 10.',
            "value": 11.5,
            "operator": "gt",
            "threshold": 10.0,
            "since": "1970-01-01T00:16:40.000+00:00",
            "labels": {"__name__": "m", "alertname": "r", "s": "a", "severity": "warning"},
            "alert": told.alert.id,
            "suppressed": 0,
            "runbook_url": "https://wiki.example.com/slow",
        }
    ]


def test_hostile_labels_stay_on_their_line_as_ascii(tmp_path: Path) -> None:
    path = tmp_path / "alerts.log"
    hostile = 'a\n{"forged": 1}\x1b[2J\u202e"\u2028'
    LogAction(path).tell(notification(hostile), 1)
    assert path.read_bytes().count(b"\n") == 1
    assert b"\x1b" not in path.read_bytes()
    labels = lines(path)[0]["labels"]
    assert isinstance(labels, dict)
    assert labels["s"] == hostile


def test_values_json_cannot_write_are_null(tmp_path: Path) -> None:
    told = notification()
    for value in (float("inf"), float("nan"), None):
        LogAction(tmp_path / "l").tell(replace(told, alert=replace(told.alert, value=value)), 1)
    assert [line["value"] for line in lines(tmp_path / "l")] == [None, None, None]


def test_the_file_is_rotated_by_size_and_old_ones_go(tmp_path: Path) -> None:
    path = tmp_path / "alerts.log"
    told = notification()
    log = LogAction(path, max_bytes=1500, keep=2)
    for number in range(20):
        log.tell(told, number)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["alerts.log", "alerts.log.1", "alerts.log.2"]
    assert all(entry.stat().st_size <= 1500 for entry in tmp_path.iterdir())
    newest = [line["id"] for name in ("alerts.log.2", "alerts.log.1", "alerts.log") for line in lines(tmp_path / name)]
    assert newest == list(range(20 - len(newest), 20)), "nothing between the oldest kept and the newest is missing"


def test_a_line_cut_short_does_not_swallow_the_next(tmp_path: Path) -> None:
    path = tmp_path / "alerts.log"
    path.write_text('{"time": "2024')
    LogAction(path).tell(notification(), 5)
    assert json.loads(path.read_text("ascii").splitlines()[1])["id"] == 5
