"""`lightship alerts noise` and `lightship alerts incidents`."""

from __future__ import annotations

import argparse
import time
from typing import Any

from monitor.alerting.durations import DurationError, parse_duration
from monitor.wire.messages import GetIncidents, GetNoise
from ui.command.ask import conversation
from ui.command.exits import OK, USAGE, CommandError
from ui.command.show import print_json, print_table
from ui.views.format import duration, plural, sanitise


def run(arguments: argparse.Namespace) -> int:
    try:
        seconds = parse_duration(arguments.last)
    except DurationError as error:
        raise CommandError(f"--last: {error}", USAGE) from None
    with conversation(arguments.url, arguments.timeout) as talk:
        if arguments.what == "noise":
            found = talk.ask(GetNoise(id=talk.number(), seconds=seconds))["rules"]
        else:
            found = talk.ask(GetIncidents(id=talk.number()))["incidents"]
    if arguments.json:
        print_json(found)
    elif arguments.what == "noise":
        _print_noise(found, seconds)
    else:
        _print_incidents(found, time.time())
    return OK


def _print_noise(rules: list[dict[str, Any]], seconds: float) -> None:
    if not rules:
        print(f"Nothing fired within {duration(seconds)}.")
        return
    rows = [
        [
            sanitise(rule["rule"]),
            str(rule["fired"]),
            str(rule["acted"]),
            str(rule["ignored"]),
            str(rule["flapped"]),
            "" if rule["median"] is None else duration(rule["median"]),
        ]
        for rule in rules
    ]
    print_table(["RULE", "FIRED", "ACTED ON", "IGNORED", "FLAPPED", "MEDIAN"], rows, right=(1, 2, 3, 4, 5))
    for rule in rules:
        for suggestion in rule["suggestions"]:
            print(f"{sanitise(rule['rule'])}: {suggestion}.".replace("?.", "?"))


def _print_incidents(incidents: list[dict[str, Any]], now: float) -> None:
    shown = [incident for incident in incidents if not incident["merged_into"]]
    if not shown:
        print("There is no incident.")
        return
    rows = [
        [
            incident["id"].removeprefix("incident-")[:8],
            incident["severity"],
            incident["state"],
            duration(max(0.0, (incident["resolved_at"] or now) - incident["begun"])),
            plural(len(incident["alerts"]) + incident["left_out"], "alert"),
            sanitise(incident["cause_rule"]),
            sanitise(" ".join(f"{name}={value}" for name, value in incident["labels"] if not name.startswith("__"))),
        ]
        for incident in shown
    ]
    print_table(["ID", "SEVERITY", "STATE", "LENGTH", "ALERTS", "PROBABLE CAUSE", "IN COMMON"], rows)
