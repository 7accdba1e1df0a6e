"""`lightship get` and `lightship watch`."""

from __future__ import annotations

import argparse
import math
from typing import Any

from monitor.alerting.durations import DurationError, parse_duration
from monitor.model.matchers import SelectorError, parse_selector
from monitor.windows.frame import is_field
from monitor.wire.messages import Get
from ui.command.ask import Conversation, conversation
from ui.command.exits import NOTHING, OK, USAGE, CommandError
from ui.command.show import WHOLE, print_json, print_table
from ui.views.format import sanitise


def run(arguments: argparse.Namespace) -> int:
    fields = tuple(arguments.field or ["value"])
    window = _window(arguments.window)
    _check(arguments.selector, fields)
    with conversation(arguments.url, arguments.timeout) as talk:
        if arguments.command == "watch":
            from ui.command.watch import watch

            return watch(talk, arguments, fields, window)
        found = _get(talk, arguments, fields, window)
    if arguments.json:
        print_json(found)
    elif found:
        print_table(
            ["SERIES", *(f.upper() for f in fields)], [row_of(entry, fields) for entry in found], right=range(1, len(fields) + 1)
        )
    if found:
        return OK
    raise CommandError(f"No series matches {arguments.selector}. 'lightship get {{}}' lists all that there are.", NOTHING)


def _window(text: str) -> float:
    try:
        return parse_duration(text)
    except DurationError as error:
        raise CommandError(f"--window: {error}", USAGE) from None


def _check(selector: str, fields: tuple[str, ...]) -> None:
    try:
        parse_selector(selector)
    except SelectorError as error:
        raise CommandError(f"Selector, column {error.column}: {error}", USAGE) from None
    for field in fields:
        if not is_field(field):
            raise CommandError(f"--field: there is no field {field!r}; see 'lightship get --help'", USAGE)


def _get(talk: Conversation, arguments: argparse.Namespace, fields: tuple[str, ...], window: float) -> list[dict[str, Any]]:
    request = Get(id=talk.number(), selector=arguments.selector, fields=fields, window=window, limit=arguments.limit)
    return list(talk.ask(request))


def row_of(entry: dict[str, Any], fields: tuple[str, ...]) -> list[str]:
    """A series and its values in the order of `fields`; the name without control characters."""
    tags = ",".join(f'{name}="{value}"' for name, value in entry.get("tags", {}).items())
    return [
        sanitise(entry["name"] + (f"{{{tags}}}" if tags else ""), WHOLE),
        *(_plain(entry["fields"].get(field)) for field in fields),
    ]


def _plain(value: float | None) -> str:
    """All digits that are certain: people pipe this."""
    if value is None or math.isnan(value):
        return "no data"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"
