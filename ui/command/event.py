"""`lightship event`: tell what happened, so that it is marked on every chart."""

from __future__ import annotations

import argparse
import time

from monitor.alerting.durations import DurationError, parse_duration
from monitor.alerting.model import HappeningError, happening
from monitor.wire.messages import AddEvent
from ui.command.ask import conversation
from ui.command.exits import OK, USAGE, CommandError
from ui.command.show import print_json


def run(arguments: argparse.Namespace) -> int:
    text: str = arguments.text
    kind: str = arguments.kind or ("deploy" if text.lower().startswith("deploy") else "event")
    tags = tuple(_tag(told) for told in arguments.tag)
    at = time.time() - _ago(arguments.ago) if arguments.ago else 0.0
    try:
        happening(at, kind, text, arguments.who, tags)
    except HappeningError as error:
        raise CommandError(f"{str(error).capitalize()}.", USAGE) from None
    with conversation(arguments.url, arguments.timeout) as talk:
        result = talk.ask(AddEvent(id=talk.number(), text=text, who=arguments.who, kind=kind, at=at, tags=tags))
    print_json(result) if arguments.json else print(f"Told: {kind}. It is marked on every chart.")
    return OK


def _tag(told: str) -> tuple[str, str]:
    name, colon, value = told.partition(":")
    if not (name and colon and value):
        raise CommandError(f"--tag {told!r}: write it as name:value.", USAGE)
    return name, value


def _ago(told: str) -> float:
    try:
        return parse_duration(told)
    except DurationError as error:
        raise CommandError(f"--ago: {error}", USAGE) from None
