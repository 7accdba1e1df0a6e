"""Commands on alerts reach a real collector, and what they decided holds after kill -9."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.running import Collector, collector, until

RULE = """
[[rule]]
id = "jobs"
metric = "jobs"
condition = { type = "threshold", operator = "gt", value = 10, window = "10s", field = "last" }
no_data = "keep"
"""
CONFIG = """
[[receiver]]
name = "file"
type = "log"

[[route]]
receiver = "file"
group_wait = "1s"
"""


def lightship(running: Collector, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ui.command.main", *words, "--url", running.url]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def alerts(running: Collector) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(lightship(running, "alerts", "--json").stdout)
    return found


def say(running: Collector, *hosts: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for host in hosts:
            out.sendto(f"jobs:20|g|#host:{host}".encode(), ("127.0.0.1", running.statsd_port))


def test_acknowledge_assign_maintain_edit_and_ask_why(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "jobs.toml").write_text(RULE)
    with collector(tmp_path) as running:
        say(running, "a")
        until(lambda: len(alerts(running)) == 1, "the alert")
        done = lightship(running, "ack", "jobs", "--until-change", "--who", "Ana")
        assert done.stdout.startswith("Acknowledged jobs"), done.stderr
        assert lightship(running, "ack", "jobs", "--assign", "Bo", "--who", "Ana").stdout.startswith("Assigned jobs")
        made = lightship(running, "silence", "host=z", "--times", "02:00-04:00", "--because", "backup", "--json", "--who", "Ana")
        silence = json.loads(made.stdout)["silence"]
        edited = lightship(running, "silence", "host=y", "--edit", silence, "--json", "--who", "Ana")
        assert json.loads(edited.stdout)["silence"] != silence, edited.stderr
        why = lightship(running, "why", "jobs").stdout
        assert "Ana has acknowledged it" in why or "Told by log" in why
        running.kill()
        running.start()
        kept = alerts(running)[0]
        assert (kept["ack"]["until"], kept["assigned"]) == ("change", "Bo")
        say(running, "a", "b")
        until(
            lambda: len(alerts(running)) == 2 and all(alert["ack"] is None for alert in alerts(running)),
            "b begins, and Ana's acknowledgement ends",
        )
        incidents = json.loads(lightship(running, "alerts", "incidents", "--json").stdout)
        assert sorted(incident["state"] for incident in incidents) == ["open", "open"], "two hosts, two incidents"
        assert "PROBABLE CAUSE" in lightship(running, "alerts", "incidents").stdout
        noise = json.loads(lightship(running, "alerts", "noise", "--json").stdout)
        assert [(rule["rule"], rule["fired"], rule["acted"]) for rule in noise] == [("jobs", 2, 1)]
