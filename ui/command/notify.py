"""`lightship notify test` and `lightship notify preview`: whether a receiver is reached, and who would be told."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from monitor.alerting.durations import duration_words
from monitor.model.matchers import SelectorError, parse_matchers
from monitor.wire.messages import PreviewRoutes, TryReceiver
from ui.command.ask import conversation
from ui.command.exits import FAILED, NOTHING, OK, USAGE, CommandError
from ui.command.show import print_json
from ui.views.format import sanitise

_PATIENCE = 45.0
"""Seconds to wait for how a test ends: longer than the collector waits itself."""


def run(arguments: argparse.Namespace) -> int:
    return _test(arguments) if arguments.verb == "test" else _preview(arguments)


def _test(arguments: argparse.Namespace) -> int:
    with conversation(arguments.url, max(arguments.timeout, _PATIENCE)) as talk:
        result = talk.ask(TryReceiver(id=talk.number(), receiver=arguments.receiver, who=arguments.who))
    print_json(result) if arguments.json else print(sanitise(result["text"]))
    return OK if result["told"] else FAILED


def _preview(arguments: argparse.Namespace) -> int:
    labels = _labels(arguments.labels)
    with conversation(arguments.url, arguments.timeout) as talk:
        result = talk.ask(PreviewRoutes(id=talk.number(), labels=labels))
    if arguments.json:
        print_json(result)
    else:
        print(sanitise_lines(described(result)))
    return NOTHING if _kept_back(result) else OK


def described(result: Mapping[str, Any]) -> list[str]:
    """A preview in sentences."""
    lines = []
    for route in result["routes"]:
        group = ", ".join(f"{name}={value}" for name, value in route["group"].items())
        lines.append(f"{route['receiver']}, by the route {route['route']}")
        lines.append(f"  told with others of: {group}" if group else "  told together with all others of this route")
        times = [duration_words(route[name]) for name in ("group_wait", "group_interval", "repeat_interval")]
        lines.append(f"  first after {times[0]}, news after {times[1]}, again after {times[2]}")
        if not route["ends"]:
            lines.append("  not told of its end")
        if route["quiet"]:
            lines.append(f"  NOT now: it is quiet because of {', '.join(route['quiet'])}")
    silences, holders = result["silenced_by"], result["inhibited_by"]
    lines += [f"Nobody now: {silence['who']} has silenced it ({silence['comment']})" for silence in silences]
    return lines + [f"Nobody now: {holder['rule'] or holder['alert']} fires, which inhibits it" for holder in holders]


def sanitise_lines(lines: Sequence[str]) -> str:
    """Lines for a terminal."""
    return "\n".join(map(sanitise, lines))


def _kept_back(result: Mapping[str, Any]) -> bool:
    return bool(result["silenced_by"] or result["inhibited_by"] or all(route["quiet"] for route in result["routes"]))


def _labels(given: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`team=shop env=prod` as the shell leaves it, or as a selector has it: `team="shop", env="prod"`."""
    found: dict[str, str] = {}
    for part in given:
        name, equals, value = part.partition("=")
        if equals and '"' not in part and "," not in part and name.strip():
            found[name.strip()] = value.strip()
            continue
        try:
            matchers = parse_matchers(part)
        except SelectorError as error:
            raise CommandError(f"Labels, column {error.column}: {error}", USAGE) from None
        if any(matcher.op != "=" for matcher in matchers):
            raise CommandError('An alert has values, not matchers: write severity="critical".', USAGE)
        found |= {matcher.name: matcher.value for matcher in matchers}
    return tuple(sorted(found.items()))
