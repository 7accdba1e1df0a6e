"""`lightship why`: why somebody was, or was not, told of an alert."""

from __future__ import annotations

import argparse

from monitor.wire.messages import WhyPaged
from ui.command.alerts import fetch, short_id, where
from ui.command.ask import conversation
from ui.command.exits import NOTHING, OK, CommandError
from ui.command.show import print_json
from ui.views.format import sanitise

_MARKS = {"passed": "ok", "stopped": "STOPPED", "not_reached": "-"}
MOST = 20
"""Alerts explained at once."""


def run(arguments: argparse.Namespace) -> int:
    with conversation(arguments.url, arguments.timeout) as talk:
        lists = fetch(talk)
        found = [a for a in lists.alerts.values() if a.id.startswith(arguments.alert) or a.rule_id == arguments.alert]
        if not found:
            raise CommandError(f"No alert or rule with alerts is called {arguments.alert!r}; see 'lightship alerts'.", NOTHING)
        told = {alert.id: talk.ask(WhyPaged(id=talk.number(), alert=alert.id))["steps"] for alert in found[:MOST]}
    if arguments.json:
        print_json(told)
        return OK
    for alert in found[:MOST]:
        print(f"{short_id(alert.id)}  {alert.state}  {alert.rule_id} {sanitise(where(alert))}".rstrip())
        for step in told[alert.id]:
            detail = f": {step['detail']}" if step["detail"] else ""
            print(f"  {_MARKS.get(step['verdict'], step['verdict']):8} {sanitise(step['title'] + detail)}")
    if len(found) > MOST:
        print(f"{len(found) - MOST} more; name one of them by its id.")
    return OK
